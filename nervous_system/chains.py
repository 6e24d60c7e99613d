"""Chains: whether events of an emitter, or states of a resource, follow each other unbroken.

Pure. Each event carries the digest of its emitter's event before, so a changed, dropped, doubled or
swapped event shows at the one after it. The last event has none after it: what proves it is a
STOPPED signal with the final count, or a digest noted elsewhere. What a chain cannot prove is said
by `is_closed`, never assumed.
"""

from dataclasses import dataclass
from hashlib import sha256

from nervous_system import events
from nervous_system.errors import ChainBrokenError
from nervous_system.schemas import StateChange, SwarmEvent

STOPPED = "STOPPED"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainHead:
    """How far a chain has been followed."""

    count: int
    """Number of the last event."""
    digest: bytes
    """SHA-256 of the last event; noted elsewhere, it proves that one too."""
    is_closed: bool
    """The last event is STOPPED and its final count agrees: nothing is missing at the end."""


class EmitterChain:
    """Follows the events of one emitter in their order."""

    def __init__(self, emitter_id: str) -> None:
        self.emitter_id = emitter_id
        self._count = 0
        self._links: tuple[bytes, ...] = (b"",)
        self._final_count = 0

    @property
    def head(self) -> ChainHead:
        """How far the chain has been followed."""
        return ChainHead(
            count=self._count,
            digest=self._links[0],
            is_closed=self._final_count != 0 and self._final_count == self._count,
        )

    def follow(self, raw: bytes, sequence: int = 0) -> SwarmEvent:
        """Take the next event, byte for byte as published, and return it decoded.

        Args:
            raw: the event.
            sequence: where it lies in the stream; only says where a break is.

        Raises:
            ChainBrokenError: it is another emitter's, not the next number, or does not link.
            EventDecodeError: it is no event.
        """
        event = events.decode(raw)
        self._compare(sequence, self.emitter_id, event.emitter_id)
        self._compare(sequence, f"number {self._count + 1}", f"number {event.emitter_seq}")
        if self._final_count:
            self._compare(sequence, f"an end at {self._final_count}", f"number {event.emitter_seq}")
        if event.previous_digest not in self._links:
            self._compare(sequence, self._links[0].hex(), event.previous_digest.hex())
        self._count += 1
        self._links = _links(raw, event)
        self._final_count = final_count(event)
        return event

    def _compare(self, sequence: int, expected: str, found: str) -> None:
        if expected != found:
            raise ChainBrokenError(
                resource=f"emitter {self.emitter_id}",
                sequence=sequence,
                expected=expected,
                found=found,
            )


class StateChain:
    """Follows the changes of one resource in their order: each starts from the state before it."""

    __slots__ = ("resource", "state_hash")

    def __init__(self, resource: str, state_hash: str | None = None) -> None:
        self.resource = resource
        self.state_hash = state_hash
        """Digest of the present state, empty where the resource is absent; None: not known yet."""

    def follows(self, previous_state_hash: str) -> bool:
        """Return whether a change from this state may come next."""
        return self.state_hash is None or self.state_hash == previous_state_hash

    def follow(self, change: StateChange, sequence: int = 0) -> None:
        """Take the next change; the chain goes on from its state also after a break.

        Raises:
            ChainBrokenError: the resource was changed outside the swarm, or records are missing.
        """
        is_next = self.follows(change.previous_state_hash)
        expected, self.state_hash = self.state_hash, change.new_state_hash
        if not is_next:
            raise ChainBrokenError(
                resource=self.resource,
                sequence=sequence,
                expected=expected or "",
                found=change.previous_state_hash,
            )


def refused_digest(event: SwarmEvent) -> bytes:
    """Return the digest of the event that a tombstone stands for; empty where it is none.

    The emitter's next event may link to that one, since it may have been made before the refusal.
    """
    if event.WhichOneof("payload") != "tombstone":
        return b""
    try:
        return bytes.fromhex(event.tombstone.refused_digest)
    except ValueError:
        return b""


def final_count(event: SwarmEvent) -> int:
    """Return how many events the emitter of a STOPPED has numbered; 0 where it is none."""
    signal = event.system_signal
    return signal.final_count if signal.status == STOPPED else 0


def _links(raw: bytes, event: SwarmEvent) -> tuple[bytes, ...]:
    """Return what the next event may link to: this one, or what this one is the tombstone of."""
    own, refused = sha256(raw).digest(), refused_digest(event)
    return (own, refused) if refused else (own,)
