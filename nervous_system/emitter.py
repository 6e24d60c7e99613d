"""The emitter: one life of one agent instance, its gap-free counter and its chain of digests.

Pure. An event is linked, encoded and checked first and counts only when it is `taken`, so that
what is refused for its size or for want of room leaves no gap. What fails after that is replaced by
a tombstone with the same number; the tombstone names the digest of what it stands for, because
later events may already link to that.
"""

from hashlib import sha256

from nervous_system import events
from nervous_system.comms.contracts import Outgoing
from nervous_system.draft import number_tag, size_tag
from nervous_system.errors import EventError
from nervous_system.schemas import SwarmEvent
from nervous_system.subjects import subject_for
from nervous_system.varint import varint

_NUMBER = number_tag("emitter_seq")
_DIGEST = size_tag("previous_digest") + varint(sha256().digest_size)


class Emitter:
    """Numbers the events of one life and links each to the one before.

    Between `link` and `taken` nothing else may be linked: callers do both without awaiting in
    between.
    """

    __slots__ = ("_before_last", "_count", "_digest", "_named", "emitter_id")

    def __init__(self, emitter_id: str) -> None:
        self.emitter_id = emitter_id
        name = emitter_id.encode()
        self._named = size_tag("emitter_id") + varint(len(name)) + name
        self._count = 0
        self._digest = b""
        self._before_last = b""

    @property
    def count(self) -> int:
        """How many events have been numbered."""
        return self._count

    @property
    def digest(self) -> bytes:
        """SHA-256 of the last event taken; empty before the first."""
        return self._digest

    def link(self) -> bytes:
        """Return the fields of the next event that number and link it; nothing is counted yet."""
        number = varint(self._count + 1)
        digest = self._digest
        if not digest:
            return b"%b%b%b" % (self._named, _NUMBER, number)
        return b"%b%b%b%b%b" % (self._named, _NUMBER, number, _DIGEST, digest)

    def taken(self, raw: bytes) -> None:
        """Count the event linked last; `raw` is what will be published, byte for byte."""
        self._before_last = self._digest
        self._digest = sha256(raw).digest()
        self._count += 1

    def withdraw(self, emitter_seq: int) -> bool:
        """Uncount the event taken last; False if others came after it: it needs a tombstone."""
        if emitter_seq != self._count or (self._count > 1 and not self._before_last):
            return False
        self._count -= 1
        self._digest, self._before_last = self._before_last, b""
        return True


def build_tombstone(refused: bytes, reason: str) -> SwarmEvent:
    """Return the event that takes the number and the link of `refused`, which cannot be sent.

    Raises:
        EventDecodeError: `refused` is not an event.
    """
    original = events.decode(refused)
    stone = SwarmEvent()
    stone.CopyFrom(original)
    for field in ("attributes", "caused_by", "redactions", "original_digest"):
        stone.ClearField(field)
    stone.event_id = events.new_event_id()
    stone.tombstone.CopyFrom(
        events.tombstone(
            reason,
            refused_kind=events.kind_of(original),
            refused_size_bytes=len(refused),
            refused_digest=sha256(refused).hexdigest(),
        )
    )
    return stone


def make_tombstone(refused: Outgoing, reason: str) -> Outgoing | None:
    """Return what is published in the place of `refused`; None if it was no numbered event."""
    try:
        stone = build_tombstone(refused.payload, reason)
        subject = subject_for(stone.agent_role, "tombstone", stone.agent_id)
    except EventError:
        return None
    if not stone.emitter_seq:
        return None
    return Outgoing(
        subject=subject,
        payload=stone.SerializeToString(),
        event_id=stone.event_id,
        emitter_id=stone.emitter_id,
        emitter_seq=stone.emitter_seq,
        headers=refused.headers,
    )
