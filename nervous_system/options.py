"""What every publishing call of an agent takes besides what it says."""

from collections.abc import Iterable, Mapping
from typing import Protocol, TypedDict

from nervous_system.errors import InvalidEventError
from nervous_system.events import is_event_id


class HasEventId(Protocol):
    """A receipt, an event: whatever names an event by its id."""

    @property
    def event_id(self) -> str:
        """UUID of the event."""
        ...


Causes = Iterable[str | HasEventId]
"""Ids of events, or the receipts and events themselves."""


class EmitOptions(TypedDict, total=False):
    """Keyword arguments of every call that publishes."""

    caused_by: Causes
    """What led to it; by default the causes of the span that it is made in."""
    attributes: Mapping[str, str] | None
    """Free-form labels."""
    workspace_id: str
    """Where it belongs; by default the agent's workspace."""
    parent: Mapping[str, str] | None
    """A carrier from elsewhere, before the span that is active here."""
    wait: bool | None
    """None: wait for the ack up to the timeout, then the receipt is marked spooled. True: raise
    instead. False: hand over to the spool and return at once."""
    timeout: float | None
    """Seconds to wait; by default the bus's."""


def event_ids(causes: Causes) -> tuple[str, ...]:
    """Return the ids of causes.

    Raises:
        InvalidEventError: one is no UUID.
    """
    if isinstance(causes, str):
        causes = (causes,)
    found = tuple([cause if isinstance(cause, str) else cause.event_id for cause in causes])
    for cause in found:
        if not is_event_id(cause):
            raise InvalidEventError(field="caused_by", reason=f"{cause!r} is not a UUID")
    return found
