"""Arithmetic of measurements: quantiles, rates, and a noise-proof way to compare two of them."""

import math
import time
from collections.abc import Awaitable, Callable, Sequence
from statistics import median


def quantile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least `share` of all do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def paired_ratio(ours: Sequence[float], baseline: Sequence[float]) -> float:
    """Return the median of ours by baseline, pair by pair, as they were measured in turn."""
    return median(one / other for one, other in zip(ours, baseline, strict=True))


def timed_ms(call: Callable[[], object]) -> float:
    """Return how long one call takes, in milliseconds."""
    start = time.perf_counter()
    call()
    return (time.perf_counter() - start) * 1_000


async def timed_ms_of(call: Callable[[], Awaitable[object]]) -> float:
    """Return how long one call takes until it has answered, in milliseconds."""
    start = time.perf_counter()
    await call()
    return (time.perf_counter() - start) * 1_000
