"""Emitters: their numbers have no gap, and each event names the digest of the one before.

Pure. Events come in stream order; an emitter's own order may differ from it, so what comes early
waits in a bounded place until the numbers before it have come.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from infrastructure.history.verify.findings import Problem, ProblemKind, Unproven, UnprovenKind

MAX_EARLY_EVENTS = 1_000
"""Events of one emitter that wait for lower numbers; beyond it the missing ones are skipped."""
MAX_GAPS = 10_000
"""Gaps of one emitter that are remembered, in case that the missing events still come."""


class Numbered(NamedTuple):
    """What the chain of an emitter needs to know of one event."""

    emitter_id: str
    number: int
    sequence: int
    event_id: str
    digest: bytes
    """SHA-256 of the event as published."""
    previous_digest: bytes
    refused_digest: bytes = b""
    """Tombstones: digest of the event that it stands for; the next event may link to that one."""
    final_count: int = 0
    """STOPPED: how many events the emitter numbered."""


@dataclass(slots=True)
class _Gap:
    """Numbers that were skipped; some may come later."""

    first: int
    last: int
    before: Numbered
    """The event that showed that they are missing."""


@dataclass(slots=True)
class _Life:
    """Where one emitter's chain stands."""

    expected: int
    digest: bytes | None
    """Digest of event `expected - 1`; None: not known."""
    refused_digest: bytes = b""
    is_chained: bool = False
    last_sequence: int = 0
    unchained_from: int = 0
    started_at: int = 1
    final_count: int = 0
    final_sequence: int = 0
    early: dict[int, Numbered] = field(default_factory=dict)
    gaps: list[_Gap] = field(default_factory=list)


class EmitterChains:
    """Follows every emitter of one stream.

    `observe` each decodable, numbered event in stream order, then `finish` once.
    """

    def __init__(self, stream: str, *, from_start: bool, to_end: bool = True) -> None:
        """Start with no emitter known.

        Args:
            stream: name for the findings.
            from_start: the first event observed is the first that there ever was.
            to_end: the last event observed will be the last that there is.
        """
        self._stream = stream
        self._to_end = to_end
        self._from_start = from_start
        self._lives: dict[str, _Life] = {}
        self._problems: list[Problem] = []
        self._repeated: set[tuple[str, int]] = set()

    def observe(self, event: Numbered) -> None:
        """Take the next event of the stream that has an emitter number."""
        life = self._lives.get(event.emitter_id)
        if life is None:
            life = self._begin(event)
        if event.number != life.expected:
            self._take_out_of_order(life, event)
            return
        self._advance(life, event)
        if life.early:
            self._take_early(life)

    def follow(
        self, emitter_id: str, number: int, sequence: int, digest: bytes, previous_digest: bytes
    ) -> bool:
        """Take an event that is what the chain waits for; False: `observe` it.

        It is no tombstone and no STOPPED. Nearly every event is such a one, and this is the short
        way for it.
        """
        life = self._lives.get(emitter_id)
        if (
            life is None
            or number != life.expected
            or previous_digest != life.digest
            or not life.is_chained
            or life.early
        ):
            return False
        life.expected = number + 1
        life.digest = digest
        life.refused_digest = b""
        life.last_sequence = sequence
        return True

    def take_repeats(self) -> set[tuple[str, int]]:
        """Return the numbers that came twice since the last call, to compare their events."""
        repeated, self._repeated = self._repeated, set()
        return repeated

    def take_problems(self) -> list[Problem]:
        """Return the problems found since the last call."""
        problems, self._problems = self._problems, []
        return problems

    def finish(self) -> tuple[list[Problem], list[Unproven]]:
        """Return what is left to say when the last event has been observed."""
        unproven: list[Unproven] = []
        for emitter_id, life in self._lives.items():
            while life.early:
                self._skip_gap(life)
            for gap in life.gaps:
                self._report_gap(gap)
            self._check_final(emitter_id, life)
            unproven.extend(self._doubts(emitter_id, life))
        return self.take_problems(), unproven

    def _begin(self, event: Numbered) -> _Life:
        is_whole = self._from_start or event.number == 1
        life = _Life(
            expected=1 if is_whole else event.number,
            digest=b"" if is_whole else None,
            started_at=1 if is_whole else event.number,
            last_sequence=event.sequence,
        )
        self._lives[event.emitter_id] = life
        return life

    def _advance(self, life: _Life, event: Numbered) -> None:
        if event.previous_digest != life.digest or not life.is_chained:
            self._check_link(life, event)
        life.expected = event.number + 1
        life.digest = event.digest
        life.refused_digest = event.refused_digest
        life.last_sequence = event.sequence
        if event.final_count:
            life.final_count = event.final_count
            life.final_sequence = event.sequence

    def _check_link(self, life: _Life, event: Numbered) -> None:
        previous = event.previous_digest
        if previous:
            life.is_chained = True
            if life.digest is None or previous == life.digest:
                return
            if life.refused_digest and previous == life.refused_digest:
                return
        elif event.number == 1 or life.digest is None:
            return
        elif not life.is_chained:
            life.unchained_from = life.unchained_from or event.sequence
            return
        self._report(
            ProblemKind.EMITTER_CHAIN,
            event,
            f"event {event.number} links to {previous.hex() or 'nothing'}, the event before it is "
            f"{(life.digest or b'').hex() or 'nothing'}",
        )

    def _take_early(self, life: _Life) -> None:
        while (event := life.early.pop(life.expected, None)) is not None:
            self._advance(life, event)

    def _take_out_of_order(self, life: _Life, event: Numbered) -> None:
        if event.number < life.started_at:
            return
        if event.number < life.expected or event.number in life.early:
            if not self._fills_gap(life, event.number):
                self._repeated.add((event.emitter_id, event.number))
            return
        life.early[event.number] = event
        if len(life.early) > MAX_EARLY_EVENTS:
            self._skip_gap(life)

    def _skip_gap(self, life: _Life) -> None:
        number = min(life.early)
        life.gaps.append(_Gap(life.expected, number - 1, life.early[number]))
        if len(life.gaps) > MAX_GAPS:
            self._report_gap(life.gaps.pop(0))
        life.expected = number
        life.digest = None
        self._take_early(life)

    def _fills_gap(self, life: _Life, number: int) -> bool:
        for index, gap in enumerate(life.gaps):
            if gap.first <= number <= gap.last:
                parts = [
                    _Gap(gap.first, number - 1, gap.before),
                    _Gap(number + 1, gap.last, gap.before),
                ]
                life.gaps[index : index + 1] = [part for part in parts if part.first <= part.last]
                return True
        return False

    def _report_gap(self, gap: _Gap) -> None:
        missing = str(gap.first) if gap.first == gap.last else f"{gap.first} to {gap.last}"
        event = gap.before
        self._report(
            ProblemKind.EMITTER_GAP,
            event,
            f"missing before event {event.number} of emitter {event.emitter_id}: {missing}",
        )

    def _check_final(self, emitter_id: str, life: _Life) -> None:
        last = life.expected - 1
        if not life.final_count or life.final_count == last:
            return
        self._problems.append(
            Problem(
                kind=ProblemKind.EMITTER_COUNT,
                stream=self._stream,
                sequence=life.final_sequence,
                emitter_id=emitter_id,
                detail=f"emitter stopped after {life.final_count} events, its last here is {last}",
            )
        )

    def _doubts(self, emitter_id: str, life: _Life) -> list[Unproven]:
        doubts = []
        if life.started_at > 1:
            doubts.append(
                self._doubt(
                    UnprovenKind.UNKNOWN_START,
                    emitter_id,
                    life.last_sequence,
                    f"events before number {life.started_at} were not read",
                )
            )
        if life.unchained_from and not life.is_chained:
            doubts.append(
                self._doubt(
                    UnprovenKind.UNCHAINED,
                    emitter_id,
                    life.unchained_from,
                    "events are numbered but do not link to the one before",
                )
            )
        if self._to_end and not life.final_count:
            doubts.append(
                self._doubt(
                    UnprovenKind.OPEN_END,
                    emitter_id,
                    life.last_sequence,
                    f"no STOPPED after event {life.expected - 1}: later events may be missing",
                )
            )
        return doubts

    def _doubt(self, kind: UnprovenKind, emitter_id: str, sequence: int, detail: str) -> Unproven:
        return Unproven(
            kind=kind, stream=self._stream, sequence=sequence, emitter_id=emitter_id, detail=detail
        )

    def _report(self, kind: ProblemKind, event: Numbered, detail: str) -> None:
        self._problems.append(
            Problem(
                kind=kind,
                stream=self._stream,
                sequence=event.sequence,
                event_id=event.event_id,
                emitter_id=event.emitter_id,
                detail=detail,
            )
        )
