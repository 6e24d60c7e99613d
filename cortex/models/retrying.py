"""When a request to a language model is sent again. Pure."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Attempts and the waits between them."""

    max_attempts: int = 4
    """Requests for one answer, the first among them."""
    first_delay: timedelta = timedelta(seconds=1)
    """Before the second attempt; doubles from there."""
    max_delay: timedelta = timedelta(seconds=60)
    """Longest wait; a provider that asks for a longer one counts as not available."""

    def delay(self, attempt: int, asked: timedelta | None, jitter: float) -> timedelta | None:
        """How long to wait after a failed attempt (from 1); None: give up.

        Args:
            attempt: the one that failed.
            asked: the wait that the provider asked for.
            jitter: from 0 to 1; spreads agents that failed at the same moment.
        """
        if attempt >= self.max_attempts:
            return None
        if asked is not None:
            return asked if asked <= self.max_delay else None
        grown: timedelta = self.first_delay * (1 << (attempt - 1))
        return min(grown, self.max_delay) * (0.5 + jitter / 2)
