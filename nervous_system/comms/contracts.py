"""Ports of the bus and of history: what the parts promise each other.

Records are frozen and carry facts only. Protocols are implemented in `nervous_system.comms` (bus)
and `infrastructure.history` (history); composition roots join them. Order guarantees: events of one
emitter are stored in the order in which they were submitted; a receipt that is not `spooled` means
the event is on disk in the stream.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, Protocol

from nervous_system.schemas import SwarmEvent


class Wait(Enum):
    """What a publishing call waits for."""

    ACK_OR_SPOOL = "ack_or_spool"
    """The ack up to the timeout, then a receipt marked spooled. The default."""
    ACK = "ack"
    """The ack; raises where it does not come in time (`wait=True`)."""
    HANDOVER = "handover"
    """Nothing but the spool's write (`wait=False`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """An encoded event on its way to the bus."""

    subject: str
    payload: bytes
    """The event as it will be stored, byte for byte."""
    event_id: str
    """Also the message id, under which a repeat is harmless."""
    emitter_id: str = ""
    """Lane within which order is kept; empty: no order is asked for."""
    emitter_seq: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    """Further headers, such as `traceparent`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What is known about a published event."""

    event_id: str
    stream: str = ""
    sequence: int | None = None
    """Position in the stream, from 1; None while it only lies in the spool."""
    duplicate: bool = False
    """The stream already held this event id; `sequence` is the first one's."""
    spooled: bool = False
    """Kept on disk here and sent when the bus is back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One attempt to hand a message to a consumer."""

    subject: str
    stream: str
    sequence: int
    """Position in the stream, from 1."""
    stored_at: datetime
    """When the server stored it, UTC."""
    attempt: int
    """From 1."""
    raw: bytes
    """The message as stored."""
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    """An event as read back from the stream."""

    event: SwarmEvent
    delivery: Delivery

    @property
    def sequence(self) -> int:
        """Position in the stream, from 1."""
        return self.delivery.sequence


class Publisher(Protocol):
    """Takes encoded events and makes them durable."""

    async def submit(self, outgoing: Outgoing, wait: Wait, timeout: float) -> Receipt:
        """Publish one event.

        Raises:
            PublishTimeoutError: with `Wait.ACK`, no ack within `timeout` seconds; the event stays
                on its way.
            PublishRejectedError: the server refused it for good.
            SpoolFullError: it had to be spooled and the spool's policy is to refuse.
        """
        ...


class ContentStore(Protocol):
    """Keeps content under the hex SHA-256 of its bytes."""

    async def put(self, content: bytes) -> str:
        """Store `content` once and return its digest."""
        ...

    async def put_all(self, contents: Sequence[bytes]) -> Sequence[str]:
        """Store contents, each once, and return their digests in order."""
        ...

    async def get(self, digest: str) -> bytes:
        """Return the content.

        Raises:
            ContentMissingError: nothing is stored under `digest`.
        """
        ...


class EventReader(Protocol):
    """Reads the stream as decoded events."""

    def replay(
        self, *, start: int | datetime = 1, end: int | None = None, follow: bool = False
    ) -> AsyncIterator[StoredEvent]:
        """Yield events from a sequence or a time on; with `follow` also those still to come."""
        ...


class History(Protocol):
    """Answers questions about what happened."""

    async def query(
        self, sql: str, parameters: Mapping[str, Any] | None = None
    ) -> Sequence[Mapping[str, Any]]:
        """Return the rows of `sql`, a mapping per row by column name."""
        ...
