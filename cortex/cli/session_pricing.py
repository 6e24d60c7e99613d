"""What tokens in transcripts cost, by the list of the model library, where that is installed."""

from functools import lru_cache
from typing import Any

from infrastructure.intake.sessions.records import Used

MICRO = 1_000_000


@lru_cache(maxsize=1)
def _library() -> Any:
    try:
        import genai_prices
    except ModuleNotFoundError:
        return None
    return genai_prices


def listed_price(model: str, used: Used) -> int | None:
    """Return millionths of a US dollar that a model's tokens cost; None: nobody knows."""
    library = _library()
    if library is None or not model:
        return None
    provider, _, name = model.rpartition(":")
    cached = used.cache_read_tokens + used.cache_write_tokens
    usage = library.Usage(
        input_tokens=used.input_tokens + (0 if used.counts_cached else cached),
        output_tokens=used.output_tokens,
        cache_read_tokens=used.cache_read_tokens,
        cache_write_tokens=used.cache_write_tokens,
    )
    try:
        found = library.calc_price(usage, name, provider_id=provider or None)
    except (LookupError, ValueError):
        return None
    return int(found.total_price * MICRO + 1) if found.total_price else 0
