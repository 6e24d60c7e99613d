"""An event on its way to the bus, and the limits under which it travels."""

import asyncio  # noqa: TC003 # an annotation of an attribute
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from nervous_system.comms.contracts import Outgoing, Receipt
from nervous_system.comms.frames import encode_headers, encode_subject
from nervous_system.comms.grouping import Group
from nervous_system.errors import BusError

FRAME_OVERHEAD_BYTES = 256

MakeTombstone = Callable[[Outgoing, str], Outgoing | None]
"""Builds what takes the place of a refused event: same emitter, number and link, an id of its own,
digest of the refused bytes.

Events numbered after it may already carry the digest of the refused bytes; whoever verifies the
chain accepts that link through the tombstone's `refused_digest`. None: the event leaves a gap.
"""
Settle = Callable[["Entry", Receipt | None, BusError | None], None]
"""Told the outcome of an event, once: a receipt, or why it was refused for good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitLimits:
    """How much may be under way, and for how long nobody answers before that counts as unknown."""

    max_waiting: int = 32_768
    """Events that wait or are under way; above, callers wait for room."""
    max_waiting_bytes: int = 64 * 1024 * 1024
    """The same in bytes."""
    max_flights: int = 2
    """Atomic batches under way at once, each of other emitters."""
    min_second_batch: int = 250
    """Fewest events that are worth a batch beside the one under way."""
    max_single_flights: int = 12
    """Single publishes under way at once."""
    ack_timeout: float = 5.0
    """Seconds without an ack after which the outcome counts as unknown."""
    retry_wait: float = 0.05
    """Seconds before an event goes again after trouble on a healthy connection.

    Doubles up to `max_retry_wait`.
    """
    max_retry_wait: float = 2.0
    """Seconds, longest."""
    duplicate_window: float = 120.0
    """Seconds within which the stream recognises a repeated id."""
    sweep_interval: float = 0.05
    """Seconds between looks at deadlines."""


class StoredLookup(Protocol):
    """Asks the stream which events it holds."""

    stream: str
    """Its name."""

    async def find_stored(self, entries: Sequence["Entry"]) -> dict[str, int]:
        """Return stream sequences by event id, of those that are stored."""
        ...


class Entry:
    """One event on its way.

    Raises:
        InvalidEventError: subject or headers cannot be sent.
    """

    __slots__ = (
        "after_sequence",
        "deadline",
        "first_sent_at",
        "headers",
        "is_settled",
        "is_suspect",
        "is_tombstone",
        "lane",
        "outgoing",
        "payload",
        "receipt",
        "record",
        "settle",
        "size_bytes",
        "subject",
        "timeout",
        "waiter",
    )

    def __init__(self, outgoing: Outgoing, settle: "Settle | None" = None) -> None:
        self.outgoing = outgoing
        self.lane = outgoing.emitter_id
        self.subject = encode_subject(outgoing.subject)
        self.headers = encode_headers(outgoing)
        self.payload = outgoing.payload
        self.size_bytes = len(self.payload) + len(self.headers) + FRAME_OVERHEAD_BYTES
        self.settle = settle
        self.receipt: Receipt | None = None
        """Set when it is in the stream."""
        self.is_settled = False
        """In the stream, or refused for good."""
        self.waiter: asyncio.Future[Receipt] | None = None
        self.deadline = 0.0
        self.timeout = 0.0
        self.is_suspect = False
        self.is_tombstone = False
        self.first_sent_at: float | None = None
        """Monotonic; when the outcome may first have become unknown."""
        self.after_sequence = 0
        """If the stream holds it, then above this sequence."""
        self.record = 0
        """Number of its record in the spool; 0: only in memory."""


class Flight:
    """A group under way."""

    __slots__ = ("group", "is_batch", "open", "sent_at", "tokens")

    def __init__(self, group: Group[Entry], sent_at: float) -> None:
        self.group = group
        self.is_batch = group.is_batch
        self.sent_at = sent_at
        self.tokens: list[bytes] = []
        self.open: dict[bytes, Entry] = {}
        """Singles without an answer yet, by token."""

    @property
    def unanswered(self) -> list[Entry]:
        """Events without an answer yet, in the order in which they were sent."""
        return self.group.members if self.is_batch else list(self.open.values())
