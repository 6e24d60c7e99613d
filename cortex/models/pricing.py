"""What tokens cost: the library's list for the providers themselves, else what the user says."""

from datetime import UTC, datetime
from decimal import Decimal

from genai_prices import Usage, calc_price
from pydantic_ai.messages import ModelResponse

from cortex.models.budget import Price

_SAMPLE = 1_000_000


def listed_price(provider: str, model: str) -> Price | None:
    """The list's present price; None: it does not know the model."""
    prices = [
        _listed(provider, model, Usage(input_tokens=_SAMPLE, output_tokens=0)),
        _listed(provider, model, Usage(input_tokens=0, output_tokens=_SAMPLE)),
    ]
    if prices[0] is None or prices[1] is None:
        return None
    return Price(input=prices[0], output=prices[1])


def _listed(provider: str, model: str, usage: Usage) -> Decimal | None:
    try:
        found = calc_price(
            usage, model, provider_id=provider, genai_request_timestamp=datetime.now(UTC)
        )
    except LookupError:
        return None
    return found.total_price


class FlatPricing:
    """Every input token and every output token costs the same."""

    def __init__(self, price: Price | None) -> None:
        self._price = price

    def cost_microusd(self, response: ModelResponse) -> int | None:
        """See Pricing."""
        if self._price is None:
            return None
        return self._price.cost_microusd(response.usage.input_tokens, response.usage.output_tokens)


class ListedPricing:
    """The list's own reckoning, which knows that cached tokens cost less."""

    def __init__(self, provider: str, model: str, price: Price) -> None:
        self._provider = provider
        self._model = model
        self._flat = FlatPricing(price)

    def cost_microusd(self, response: ModelResponse) -> int | None:
        """See Pricing."""
        usage = response.usage
        counted = Usage(
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cache_read_tokens=usage.cache_read_tokens,
            cache_write_tokens=usage.cache_write_tokens,
        )
        cost = _listed(self._provider, self._model, counted)
        return self._flat.cost_microusd(response) if cost is None else int(cost * 1_000_000 + 1)
