"""A stretch of a stream, prepared for comparison: what its rows and its ledger have to be.

Pure. The same code that the ingestor uses makes the rows; what it makes of them is compared by the
engine with what history holds.
"""

from dataclasses import dataclass
from hashlib import sha256

from infrastructure.history.verify.emitters import EmitterChains, Numbered
from infrastructure.history.verify.ledger import PIECES, Leaves
from infrastructure.history.verify.messages import Messages
from infrastructure.history.verify.rows import Fact
from infrastructure.ingestor.decoding import Decoded, decode
from infrastructure.ingestor.emitters import EmitterTracker
from infrastructure.ingestor.encoding import Batch, Envelopes
from infrastructure.ingestor.ledger import Head
from nervous_system.errors import SwarmError
from nervous_system.events import decode as decode_event
from nervous_system.schemas import SwarmEvent

STOPPED = "STOPPED"


@dataclass(slots=True)
class Stretch:
    """Messages with everything that is compared."""

    first: int
    """First sequence of the stretch, whether there is a message at it or not."""
    last: int
    messages: Messages
    batch: Batch
    repeated: set[int]
    """Positions of messages that repeat an emitter's number."""
    unnumbered: int
    """Events without an emitter's number."""

    @property
    def parts(self) -> list[bytes]:
        """The rows as the engine takes them."""
        return self.batch.parts

    @property
    def leaves(self) -> Leaves:
        """The messages as the ledger sees them."""
        return Leaves(list(self.messages.sequences), list(self.batch.leaves))

    @property
    def digests(self) -> list[bytes]:
        """SHA-256 of each message."""
        return self.batch.leaves[PIECES - 1 :: PIECES]

    def facts(self) -> dict[int, Fact]:
        """Return subject and digest of each message by its sequence."""
        return {
            sequence: Fact(subject, digest)
            for sequence, subject, digest in zip(
                self.messages.sequences, self.messages.subjects, self.digests, strict=True
            )
        }


@dataclass(slots=True)
class StretchMaker:
    """Prepares the stretches of one stream, in order."""

    stream: str
    chains: EmitterChains
    tracker: EmitterTracker
    envelopes: Envelopes

    def make(self, messages: Messages, first: int, last: int) -> Stretch:
        """Prepare a stretch and take its events into the emitters' chains."""
        decoded = decode(messages.payloads)
        self.tracker.learn(self.tracker.missing(decoded.numbered), ())
        repeated = self.tracker.mark(decoded.numbered)
        stretch = build_stretch(
            self.stream,
            messages,
            decoded,
            repeated,
            first=first,
            last=last,
            envelopes=self.envelopes,
        )
        self._observe(stretch, decoded)
        return stretch

    def again(self, stretch: Stretch, refused: set[int]) -> Stretch:
        """Return a stretch anew, knowing which messages the engine cannot decode."""
        return build_stretch(
            self.stream,
            stretch.messages,
            decode(stretch.messages.payloads, refused),
            stretch.repeated - refused,
            first=stretch.first,
            last=stretch.last,
            envelopes=self.envelopes,
        )

    def _observe(self, stretch: Stretch, decoded: Decoded) -> None:
        sequences, digests = stretch.messages.sequences, stretch.digests
        canonical, kinds = decoded.canonical, decoded.kinds
        parse, observe = SwarmEvent.FromString, self.chains.observe
        for at, emitter_id, number in decoded.numbered:
            event = parse(canonical[at])
            refused_digest, final_count = b"", 0
            kind = kinds[at]
            if kind == "system_signal":
                signal = event.system_signal
                final_count = signal.final_count if signal.status == STOPPED else 0
            elif kind == "tombstone":
                refused_digest = _digest_of(event.tombstone.refused_digest)
            observe(
                Numbered(
                    emitter_id, number, sequences[at], event.event_id, digests[at],
                    event.previous_digest, refused_digest, final_count,
                )
            )  # fmt: skip


def build_stretch(
    stream: str, messages: Messages, decoded: Decoded, repeated: set[int], *,
    first: int, last: int, envelopes: Envelopes,
) -> Stretch:  # fmt: skip
    """Encode the rows of a stretch, with the digest of each message in the place of its bytes.

    Half of what would travel to the engine is saved; history's bytes are digested there.
    """
    batch = Batch(Head(stream, 0), "")
    digests = [sha256(raw).digest() for raw in messages.payloads]
    batch.add(messages.sequences, messages.subjects, digests, decoded, repeated, envelopes)
    batch.leaves[PIECES - 1 :: PIECES] = digests
    unnumbered = len(messages) - len(decoded.numbered) - len(decoded.reasons)
    return Stretch(first, last, messages, batch, repeated, unnumbered)


def describe(raw: bytes) -> tuple[str | None, str | None]:
    """Return event id and resource of a message, as far as it decodes."""
    try:
        event = decode_event(raw)
    except SwarmError:
        return None, None
    resource = event.state_change.target_resource if event.HasField("state_change") else ""
    return event.event_id, resource or None


def make_maker(stream: str, *, from_start: bool, to_end: bool) -> StretchMaker:
    """Return a maker that knows no emitter yet."""
    return StretchMaker(
        stream,
        EmitterChains(stream, from_start=from_start, to_end=to_end),
        EmitterTracker(),
        Envelopes(),
    )


def _digest_of(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""
