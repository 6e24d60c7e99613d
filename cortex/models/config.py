"""Settings of the models; the only module here that reads the environment."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Self

from cortex.models.budget import Budget, Price
from cortex.models.offline import OFFLINE
from cortex.models.retrying import RetryPolicy
from nervous_system.config import without_password
from nervous_system.errors import ConfigError

DEFAULT_MAX_TOKENS = 2_000_000
DEFAULT_MAX_COST_MICROUSD = 5_000_000
_MODEL = "SWARM_MODEL"
_KNOWN = "`offline`, `openai:MODEL` or `anthropic:MODEL`"
_KEYS = {"openai": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY"}
_URLS = {"openai": "OPENAI_BASE_URL", "anthropic": "ANTHROPIC_BASE_URL"}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ModelConfig:
    """Which model a run works with, where it is, and what it may spend."""

    name: str = OFFLINE
    """`offline`, `openai:MODEL`, `anthropic:MODEL` (SWARM_MODEL)."""
    api_key: str = ""
    """From OPENAI_API_KEY or ANTHROPIC_API_KEY; never shown."""
    base_url: str = ""
    """From OPENAI_BASE_URL or ANTHROPIC_BASE_URL; empty: the provider's own address."""
    budget: Budget = field(
        default_factory=lambda: Budget(
            max_tokens=DEFAULT_MAX_TOKENS, max_cost_microusd=DEFAULT_MAX_COST_MICROUSD
        )
    )
    """What one run may spend (SWARM_MAX_TOKENS, SWARM_MAX_COST)."""
    is_cost_limit_chosen: bool = False
    """The user named the money limit: it must then be kept, so the price must be known."""
    price: Price | None = None
    """US dollars for a million tokens (SWARM_MODEL_PRICE); None: from the library's list."""
    timeout: timedelta = timedelta(seconds=180)
    """For one request (SWARM_MODEL_TIMEOUT); long answers take minutes."""
    max_output_tokens: int = 32_000
    """For one answer; the budget may leave less."""
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    """When a failed request is sent again."""

    @property
    def provider(self) -> str:
        """`offline`, `openai` or `anthropic`."""
        return self.name.partition(":")[0]

    @property
    def model(self) -> str:
        """The provider's name of the model."""
        return self.name.partition(":")[2]

    def __post_init__(self) -> None:
        if self.name == OFFLINE:
            return
        if self.provider not in _KEYS or not self.model.strip():
            raise ConfigError(
                variable=f"--model or {_MODEL}",
                given=self.name[:100],
                expected=_KNOWN,
                fix="`offline` needs no network and no key",
            )
        if self.base_url and not re.match(r"https?://[^/\s]", self.base_url):
            raise ConfigError(
                variable=_URLS[self.provider],
                given=without_password(self.base_url),
                expected="http://HOST or https://HOST",
                fix="write it with its scheme",
            )
        if not (self.api_key.isascii() and self.api_key.isprintable()):
            raise ConfigError(
                variable=_KEYS[self.provider],
                given="(not shown)",
                expected="a key, which is one line of plain characters",
                fix="copy it again",
            )
        if not self.api_key and not (self.base_url and self.provider == "openai"):
            raise ConfigError(
                variable=_KEYS[self.provider],
                given="",
                expected=f"the key for {self.name}",
                fix="set it, or choose --model offline",
            )

    def __repr__(self) -> str:
        return f"ModelConfig(name={self.name!r}, budget={self.budget!r})"

    @classmethod
    def from_env(
        cls,
        environment: Mapping[str, str],
        *,
        model: str | None = None,
        max_tokens: int | None = None,
        max_cost: str | None = None,
    ) -> Self:
        """Read the environment; the arguments are a command's options and win.

        A key alone chooses no model: without `model` and SWARM_MODEL the offline model works.

        Raises:
            ConfigError: a setting cannot be used.
        """
        name = (model or environment.get(_MODEL, "") or OFFLINE).strip()
        provider = name.partition(":")[0]
        cost = max_cost or environment.get("SWARM_MAX_COST", "")
        tokens = _tokens(environment) if max_tokens is None else max_tokens
        price = environment.get("SWARM_MODEL_PRICE", "")
        return cls(
            name=name,
            api_key=environment.get(_KEYS.get(provider, ""), "").strip(),
            base_url=environment.get(_URLS.get(provider, ""), "").strip(),
            budget=Budget(
                max_tokens=tokens,
                max_cost_microusd=_microusd(cost) if cost else DEFAULT_MAX_COST_MICROUSD,
            ),
            is_cost_limit_chosen=bool(cost),
            price=_price(price) if price else None,
            timeout=_timeout(environment),
        )


def _tokens(environment: Mapping[str, str]) -> int:
    given = environment.get("SWARM_MAX_TOKENS", "")
    if not given:
        return DEFAULT_MAX_TOKENS
    if not given.isdecimal() or int(given) < 1:
        raise ConfigError(
            variable="SWARM_MAX_TOKENS",
            given=given,
            expected="a number of tokens",
            fix="raise it or leave it unset",
        )
    return int(given)


def _microusd(given: str) -> int:
    try:
        dollars = Decimal(given.strip().removeprefix("$"))
    except InvalidOperation:
        dollars = Decimal(-1)
    if not dollars.is_finite() or dollars <= 0:
        raise ConfigError(
            variable="--max-cost or SWARM_MAX_COST",
            given=given,
            expected="US dollars, as 2.50",
            fix="write a number above 0",
        )
    return int(dollars * 1_000_000)


def _price(given: str) -> Price:
    parts = given.split(",")
    try:
        prices = [Decimal(part.strip()) for part in parts]
    except InvalidOperation:
        prices = []
    if len(prices) != 2 or not all(one.is_finite() and one >= 0 for one in prices):
        raise ConfigError(
            variable="SWARM_MODEL_PRICE",
            given=given,
            expected="INPUT,OUTPUT in US dollars for a million tokens, as 1.25,10",
            fix="leave it unset for a model of the library's price list",
        )
    return Price(prices[0], prices[1])


def _timeout(environment: Mapping[str, str]) -> timedelta:
    given = environment.get("SWARM_MODEL_TIMEOUT", "")
    if not given:
        return timedelta(seconds=180)
    if not re.fullmatch(r"\d+(\.\d+)?", given) or not float(given):
        raise ConfigError(
            variable="SWARM_MODEL_TIMEOUT",
            given=given,
            expected="seconds, as 180",
            fix="write a number above 0",
        )
    return timedelta(seconds=float(given))
