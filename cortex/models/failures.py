"""What went wrong with a request, from the exceptions of the model library.

Nothing that the provider wrote goes into our errors but its error code, if it looks like one: a
body may repeat the key or the prompt.
"""

import re
from dataclasses import dataclass
from datetime import timedelta

from pydantic_ai.exceptions import (
    ModelAPIError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelContextWindowExceededError,
    ModelHTTPError,
    ModelNotFoundError,
    ModelQuotaExceededError,
    ModelRateLimitError,
    ModelRequestRejectedError,
    ModelTimeoutError,
    UserError,
)

from cortex.models.calls import CallOutcome

_CODE = re.compile(r"[a-z][a-z_]{2,48}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One failed request."""

    outcome: CallOutcome
    reason: str
    may_retry: bool
    retry_after: timedelta | None = None
    """The wait that the provider asked for."""
    may_be_billed: bool = False
    """The provider may have worked on it."""


def explain_failure(error: Exception) -> Failure:
    """Classify an exception of the library, or the end of our own patience."""
    if isinstance(error, TimeoutError | ModelTimeoutError):
        return Failure(
            outcome=CallOutcome.TIMED_OUT,
            reason="it did not answer in time",
            may_retry=True,
            may_be_billed=True,
        )
    if isinstance(error, ModelQuotaExceededError | ModelRequestRejectedError):
        return Failure(outcome=CallOutcome.REJECTED, reason=_rejection(error), may_retry=False)
    if isinstance(error, UserError):
        return Failure(outcome=CallOutcome.REJECTED, reason="it cannot be asked", may_retry=False)
    # The bare class says that a body came which could not be decoded; where a body has the shape
    # of an answer in part, the library fails with whatever error its reading ends in.
    if type(error) is ModelAPIError or not isinstance(error, ModelAPIError):
        return Failure(
            outcome=CallOutcome.MALFORMED,
            reason="what it sent is no answer of the protocol",
            may_retry=True,
            may_be_billed=True,
        )
    return _unavailable(error)


def _unavailable(error: ModelAPIError) -> Failure:
    wait = None if error.retry_after is None else timedelta(seconds=error.retry_after)
    if isinstance(error, ModelRateLimitError):
        reason = f"too many requests{_status(error)}"
        if wait is not None:
            reason += f", it asks to wait {wait.total_seconds():g} s"
        return Failure(
            outcome=CallOutcome.RATE_LIMITED, reason=reason, may_retry=True, retry_after=wait
        )
    if isinstance(error, ModelConnectionError):
        was_sent = error.phase not in ("pool", "connect")
        said = "the connection broke before the answer was whole" if was_sent else "no connection"
        return Failure(
            outcome=CallOutcome.UNAVAILABLE,
            reason=said,
            may_retry=True,
            may_be_billed=was_sent,
        )
    return Failure(
        outcome=CallOutcome.UNAVAILABLE,
        reason=f"the provider failed{_status(error)}",
        may_retry=True,
        retry_after=wait,
    )


def _rejection(error: ModelAPIError) -> str:
    if isinstance(error, ModelAuthenticationError):
        return f"the key is not accepted{_status(error)}: check it"
    if isinstance(error, ModelNotFoundError):
        return f"no such model, or a wrong address{_status(error)}"
    if isinstance(error, ModelContextWindowExceededError):
        return f"the request is longer than the model can read{_status(error)}"
    if isinstance(error, ModelQuotaExceededError):
        return f"the account has no quota left{_status(error)}"
    return f"the provider refuses the request{_status(error)}"


def _status(error: ModelAPIError) -> str:
    said = [f"HTTP {error.status_code}"] if isinstance(error, ModelHTTPError) else []
    code = str(error.provider_error_code or error.provider_error_type or "")
    if _CODE.fullmatch(code):
        said.append(code)
    return f" ({', '.join(said)})" if said else ""
