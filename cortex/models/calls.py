"""What is reported of each request to a language model."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum


class CallOutcome(Enum):
    """How a request ended."""

    OK = "ok"
    """An answer came; whether it can be used is seen later."""
    RATE_LIMITED = "rate_limited"
    """The provider asks to wait."""
    UNAVAILABLE = "unavailable"
    """The provider failed, or could not be reached."""
    TIMED_OUT = "timed_out"
    MALFORMED = "malformed"
    """What came is no answer of the protocol."""
    REJECTED = "rejected"
    """The provider refuses the request for good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCall:
    """One request to a language model; attempts that failed are requests too."""

    model_name: str
    input_tokens: int
    """As the provider counts them; estimated where it does not say (`is_estimated`)."""
    output_tokens: int
    cost_microusd: int | None
    """In millionths of a US dollar; None: the price is unknown."""
    duration: timedelta
    outcome: CallOutcome
    is_estimated: bool = False


CallListener = Callable[[ModelCall], Awaitable[None]]
