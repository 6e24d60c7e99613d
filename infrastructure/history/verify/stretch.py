"""A stretch of a stream, prepared for comparison: what its rows and its ledger have to be.

Pure. Messages are brought into the form that the ingestor brings them into; what the engine makes
of them is compared there with what history holds.
"""

import sys
from collections.abc import Collection
from dataclasses import dataclass, field
from hashlib import sha256
from struct import Struct

from infrastructure.history.verify.decoding import Events, decode_runs
from infrastructure.history.verify.emitters import EmitterChains, Numbered
from infrastructure.history.verify.encoding import (
    IS_REPEATED,
    ROW_PIECES,
    Shared,
    encode_rows,
    reason_field,
)
from infrastructure.history.verify.ledger import PIECES, Leaves
from infrastructure.history.verify.messages import Messages
from infrastructure.history.verify.resources import ResourceChains, observe_event
from infrastructure.history.verify.rows import Fact
from infrastructure.ingestor.decoding import Decoded, decode
from infrastructure.ingestor.emitters import EmitterTracker
from nervous_system.chains import final_count, refused_digest
from nervous_system.errors import SwarmError
from nervous_system.events import decode as decode_event

_SPECIAL = frozenset({"system_signal", "tombstone"})
"""Kinds of which a chain may need to know more than that they are there."""
_OF_RESOURCES = frozenset({"state_change", "workspace_created"})
_pack_sequence = Struct(">Q").pack


@dataclass(slots=True)
class Stretch:
    """Messages with everything that is compared."""

    first: int
    """First sequence of the stretch, whether there is a message at it or not."""
    last: int
    messages: Messages
    digests: list[bytes]
    """SHA-256 of each message."""
    pieces: list[bytes]
    """The rows as the engine takes them, in pieces."""
    leaves: Leaves
    """The messages as the ledger sees them."""
    repeated: set[int]
    """Positions of messages that repeat an emitter's number."""
    unnumbered: int
    """Events without an emitter's number."""

    @property
    def parts(self) -> list[bytes]:
        """The rows as the engine takes them: length and row in turn."""
        parts: list[bytes] = []
        for at in range(0, len(self.pieces), ROW_PIECES):
            parts += (self.pieces[at], b"".join(self.pieces[at + 1 : at + ROW_PIECES]))
        return parts

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

    chains: EmitterChains
    tracker: EmitterTracker
    shared: Shared
    resources: ResourceChains = field(default_factory=ResourceChains)
    believed: int = 0
    """Repeats of events that are gone, on history's word."""

    def make(
        self, messages: Messages, first: int, last: int, flagged: Collection[int] = ()
    ) -> Stretch:
        """Prepare a stretch and take its events into the emitters' chains.

        Args:
            messages: of the stretch.
            first: its first sequence.
            last: its last sequence.
            flagged: sequences of rows that history takes for repeats of events that are gone; it is
                believed, since it may have seen them.
        """
        decoded, events = decode_runs(messages.payloads)
        self.tracker.learn(self.tracker.missing(decoded.numbered), ())
        repeated = self.tracker.mark(decoded.numbered)
        if flagged:
            believed = {
                at for at, _, _ in decoded.numbered if messages.sequences[at] in flagged
            } - repeated
            self.believed += len(believed)
            repeated |= believed
        stretch = self._build(messages, decoded, repeated, first, last)
        self._observe(stretch, decoded, events)
        self._observe_resources(stretch, decoded, events)
        return stretch

    def again(
        self, messages: Messages, first: int, last: int, repeated: set[int], refused: set[int]
    ) -> Stretch:
        """Prepare a stretch once more, without effect on the emitters' chains.

        Args:
            messages: of the stretch.
            first: its first sequence.
            last: its last sequence.
            repeated: positions of messages that repeat an emitter's number.
            refused: positions of messages that the engine cannot decode.
        """
        decoded = decode(messages.payloads, refused)
        return self._build(messages, decoded, repeated - refused, first, last)

    def _build(
        self, messages: Messages, decoded: Decoded, repeated: set[int], first: int, last: int
    ) -> Stretch:
        digests = [sha256(raw).digest() for raw in messages.payloads]
        marks = dict.fromkeys(repeated, IS_REPEATED)
        marks.update((at, reason_field(why)) for at, why in decoded.reasons.items())
        pieces, subjects = encode_rows(
            messages.sequences, messages.subjects, digests, decoded, marks, self.shared
        )
        leaves = [b""] * (PIECES * len(messages))
        leaves[0::PIECES] = map(_pack_sequence, messages.sequences)
        leaves[1::PIECES] = subjects
        leaves[2::PIECES] = digests
        return Stretch(
            first, last, messages, digests, pieces, Leaves(list(messages.sequences), leaves),
            repeated, len(messages) - len(decoded.numbered) - len(decoded.reasons),
        )  # fmt: skip

    def _observe(self, stretch: Stretch, decoded: Decoded, events: Events) -> None:
        sequences, digests, kinds = stretch.messages.sequences, stretch.digests, decoded.kinds
        follow = self.chains.follow
        for at, emitter_id, number in decoded.numbered:
            event = events[at]
            if event is None:
                continue
            previous, digest, sequence = event.previous_digest, digests[at], sequences[at]
            if kinds[at] not in _SPECIAL and follow(emitter_id, number, sequence, digest, previous):
                continue
            self.chains.observe(
                Numbered(
                    emitter_id, number, sequence, event.event_id, digest, previous,
                    refused_digest(event), final_count(event),
                )
            )  # fmt: skip

    def _observe_resources(self, stretch: Stretch, decoded: Decoded, events: Events) -> None:
        """Take the changes into the chains of their resources; a repeat is the same change."""
        sequences, kinds, repeated = stretch.messages.sequences, decoded.kinds, stretch.repeated
        for at in [at for at, kind in enumerate(kinds) if kind in _OF_RESOURCES]:
            if at not in repeated and (event := events[at]) is not None:
                observe_event(self.resources, event, kinds[at], sequences[at])


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
        EmitterChains(stream, from_start=from_start, to_end=to_end),
        # Who is forgotten would count as new; the chains remember every emitter just as well.
        EmitterTracker(max_emitters=sys.maxsize),
        Shared(stream),
    )
