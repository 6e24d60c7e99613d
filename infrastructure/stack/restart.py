"""When a process that has died is started again; pure.

At once, up to five times in ten seconds; after that with a delay that doubles up to a minute. A
process that has lived for longer than those ten seconds starts with a clean slate.
"""

from dataclasses import dataclass, replace
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartPolicy:
    """How patient the supervisor is."""

    burst: int = 5
    """How many restarts may follow at once within `window`."""
    window: timedelta = timedelta(seconds=10)
    """Also the life after which a process counts as healthy again."""
    first_delay: timedelta = timedelta(seconds=1)
    max_delay: timedelta = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class RestartHistory:
    """What the policy remembers of one process."""

    at_once: tuple[float, ...] = ()
    """When it was restarted at once, on a monotonic clock, within the last window."""
    delayed: int = 0
    """How many restarts in a row had to wait."""


def next_restart(
    policy: RestartPolicy, history: RestartHistory, *, started_at: float, died_at: float
) -> tuple[timedelta, RestartHistory]:
    """Return how long to wait before starting again, and what to remember.

    Args:
        policy: The patience.
        history: What the previous call returned; empty at first.
        started_at: When the process that died was started, in seconds on a monotonic clock.
        died_at: When it died, on the same clock.
    """
    window = policy.window.total_seconds()
    recent = tuple(moment for moment in history.at_once if died_at - moment < window)
    delayed = 0 if died_at - started_at >= window else history.delayed
    if delayed == 0 and len(recent) < policy.burst:
        return timedelta(0), RestartHistory((*recent, died_at))
    delay = min(policy.first_delay * 2 ** min(delayed, 30), policy.max_delay)
    return delay, replace(history, at_once=recent, delayed=delayed + 1)
