"""Language models at their providers: addresses, keys, prices, connections."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from httpx2 import AsyncClient
from pydantic_ai.models import Model as LibraryModel
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider
from pydantic_ai.settings import ModelSettings

from cortex.models.budget import Meter, Price, Spending, format_usd
from cortex.models.calls import CallListener
from cortex.models.config import ModelConfig
from cortex.models.language_model import LanguageModel
from cortex.models.metered import MeteredModel, Pricing
from cortex.models.pricing import FlatPricing, ListedPricing, listed_price
from nervous_system.config import without_password
from nervous_system.errors import ConfigError

_NO_KEY = "no-key"
"""What a server without keys is sent: its clients insist on one."""


@asynccontextmanager
async def open_language_model(
    config: ModelConfig, *, listener: CallListener, spent: Spending | None
) -> AsyncIterator[LanguageModel]:
    """A language model with connections of its own, closed at the end."""
    price, pricing = _pricing(config)
    seconds = config.timeout.total_seconds()
    async with AsyncClient(timeout=seconds, follow_redirects=False) as client:
        metered = MeteredModel(
            _library_model(config, client),
            name=config.name,
            meter=Meter(config.budget, price, spent),
            pricing=pricing,
            listener=listener,
            policy=config.policy,
            max_output_tokens=config.max_output_tokens,
            timeout=config.timeout,
        )
        yield LanguageModel(config.name, describe(config, price), metered)


def _library_model(config: ModelConfig, client: AsyncClient) -> LibraryModel:
    # Retries are the MeteredModel's: only it sees them, reports them and keeps to the budget.
    settings = ModelSettings(max_retries=0)
    if config.provider == "anthropic":
        anthropic = AnthropicProvider(
            api_key=config.api_key, base_url=config.base_url or None, http_client=client
        )
        return AnthropicModel(config.model, provider=anthropic, settings=settings)
    if config.base_url:
        compatible = OpenAICompatibleProvider(
            "openai-compatible",
            base_url=config.base_url,
            api_key=config.api_key or _NO_KEY,
            http_client=client,
        )
        return OpenAIChatModel(config.model, provider=compatible, settings=settings)
    openai = OpenAIProvider(
        base_url="https://api.openai.com/v1", api_key=config.api_key, http_client=client
    )
    return OpenAIChatModel(config.model, provider=openai, settings=settings)


def _pricing(config: ModelConfig) -> tuple[Price | None, Pricing]:
    """A price for another address than the provider's own is not in the list, but the user's."""
    if config.price is not None:
        return config.price, FlatPricing(config.price)
    listed = None if config.base_url else listed_price(config.provider, config.model)
    if listed is not None:
        return listed, ListedPricing(config.provider, config.model, listed)
    if config.is_cost_limit_chosen:
        raise ConfigError(
            variable="--max-cost or SWARM_MAX_COST",
            given=format_usd(config.budget.max_cost_microusd or 0),
            expected=f"a model whose price is known, and that of {config.name} is not",
            fix="set SWARM_MODEL_PRICE=INPUT,OUTPUT, or limit tokens with SWARM_MAX_TOKENS",
        )
    return None, FlatPricing(None)


def describe(config: ModelConfig, price: Price | None) -> str:
    """One line on who works, where, and what it may cost."""
    where = f" at {without_password(config.base_url)}" if config.base_url else ""
    if price is None:
        limit = f"{config.budget.max_tokens:,}" if config.budget.max_tokens else "any number of"
        return f"{config.name}{where}; at most {limit} tokens; its price is unknown"
    said = f"${price.input} and ${price.output} for a million tokens in and out"
    return f"{config.name}{where}; at most {config.budget.describe()}; {said}"
