"""One stream's verification: reads it stretch by stretch and compares it span by span.

While the engine decodes one stretch, the next is read and prepared; at most two are in memory.
While it compares one span, the stretches of the next are decoded. What is closer looked at is read
from the stream once more.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass, field

from infrastructure.errors import InsertRejectedError, QueryFailedError
from infrastructure.history.refusals import blames_rows
from infrastructure.history.verify.findings import (
    Findings,
    Problem,
    ProblemKind,
    Unproven,
    UnprovenKind,
)
from infrastructure.history.verify.heads import WitnessCheck
from infrastructure.history.verify.holes import Holes
from infrastructure.history.verify.inspection import Inspector, with_vouched
from infrastructure.history.verify.ledger import BrokenBatch, Entry, Leaves, LedgerCheck
from infrastructure.history.verify.messages import Messages
from infrastructure.history.verify.refusal import refused_positions
from infrastructure.history.verify.scope import Scope
from infrastructure.history.verify.source import (
    Collector,
    MessageSource,
    StreamState,
    read_everything,
)
from infrastructure.history.verify.span import Piece, Span
from infrastructure.history.verify.store import VerifyStore, is_damage
from infrastructure.history.verify.stretch import Stretch, describe, make_maker


@dataclass(slots=True)
class StreamOutcome:
    """What a stream's verification leaves behind."""

    checked: int = 0
    head: Entry | None = None
    bad_sequences: list[int] = field(default_factory=list)
    """Rows to rebuild."""
    bad_ranges: list[tuple[int, int]] = field(default_factory=list)
    """Stretches of rows to rebuild whole."""
    vouched: set[int] = field(default_factory=set)
    """Rows that are right although the stream says otherwise."""
    doubtful: set[int] = field(default_factory=set)
    """Sequences of ledger entries that are not the root of their batch."""
    repeated: set[int] = field(default_factory=set)
    """Sequences of messages that repeat an emitter's number."""


class StreamCheck:
    """Verifies one stream; `run` once."""

    def __init__(
        self,
        store: VerifyStore,
        source: MessageSource,
        state: StreamState,
        scope: Scope,
        witnesses: WitnessCheck,
        findings: Findings,
        on_progress: Callable[[str, int], None],
    ) -> None:
        self._store = store
        self._source = source
        self._state = state
        self._scope = scope
        self._witnesses = witnesses
        self._findings = findings
        self._on_progress = on_progress
        self._stream = state.name
        self._ledger = LedgerCheck(before=scope.before, is_first=scope.is_from_start)
        self._inspector = Inspector(store, state.name, findings, witnesses)
        self._maker = make_maker(state.name, from_start=scope.is_from_start, to_end=scope.is_to_end)
        self._unnumbered = 0
        self._holes = Holes()
        if scope.is_from_start:
            self._holes.take((), 1, scope.first - 1)
        self.outcome = StreamOutcome()

    async def run(self) -> StreamOutcome:
        """Read, compare and report."""
        next_sequence = self._scope.first
        span = Span()
        loading: asyncio.Task[None] | None = None
        comparing: asyncio.Task[None] | None = None
        async with asyncio.TaskGroup() as group:
            async for messages in self._stretches():
                last = messages.sequences[-1]
                flagged = await self._flagged(next_sequence, last)
                stretch = self._prepare(span, messages, next_sequence, last, flagged)
                next_sequence = stretch.last + 1
                if loading is not None:
                    await loading
                loading = group.create_task(asyncio.to_thread(self._load, span, stretch))
                if span.is_full:
                    await loading
                    if comparing is not None:
                        await comparing
                    comparing = group.create_task(self._compare(span))
                    span = Span()
        if next_sequence <= self._scope.last:  # rows, but no message any more
            stretch = self._prepare(span, Messages([], [], []), next_sequence, self._scope.last)
            self._load(span, stretch)
        if span.pieces:
            await self._compare(span)
        await asyncio.to_thread(self._finish)
        return self.outcome

    async def _stretches(self) -> AsyncIterator[Messages]:
        collector = Collector()
        async for messages in self._read(self._scope.first, self._scope.last):
            if full := collector.add(messages):
                yield full
        if rest := collector.take():
            yield rest

    def _read(self, first: int, last: int) -> AsyncIterator[Messages]:
        return read_everything(self._source, self._store, self._state, first, last)

    async def _flagged(self, first: int, last: int) -> set[int]:
        """Return what history takes for repeats, where the events repeated may be gone."""
        if self._scope.is_from_start:
            return set()
        return await asyncio.to_thread(self._store.repeats, self._stream, first, last)

    def _prepare(
        self, span: Span, messages: Messages, first: int, last: int, flagged: Collection[int] = ()
    ) -> Stretch:
        """Make a stretch; what its emitters give rise to is told when its span is compared."""
        stretch = self._maker.make(messages, first, last, flagged)
        self._holes.take(messages.sequences, first, last)
        span.problems += self._maker.chains.take_problems()
        span.repeats |= self._maker.chains.take_repeats()
        return stretch

    def _load(self, span: Span, stretch: Stretch) -> None:
        """Let the engine decode a stretch; blocking, one at a time."""
        self.outcome.checked += len(stretch.messages)
        self._unnumbered += stretch.unnumbered
        self.outcome.repeated |= {stretch.messages.sequences[at] for at in stretch.repeated}
        piece = span.add(stretch)
        if not stretch.messages.sequences:
            return
        try:
            self._store.load(stretch.pieces, len(stretch.messages))
        except InsertRejectedError as error:
            if not blames_rows(error):
                raise
            piece.refused = refused_positions(self._store, stretch.parts)
            again = self._again(piece, stretch.messages)
            self._store.load(again.pieces, len(again.messages))

    def _again(self, piece: Piece, messages: Messages) -> Stretch:
        return self._maker.again(messages, piece.first, piece.last, piece.repeated, piece.refused)

    async def _compare(self, span: Span) -> None:
        """Compare a span; where it differs or cannot be read, stretch by stretch."""
        if not await asyncio.to_thread(self._is_sound, span):
            for piece in span.pieces:
                collector = Collector()
                async for messages in self._read(piece.first, piece.last):
                    collector.add_all(messages)
                stretch = self._again(piece, collector.take())
                await asyncio.to_thread(self._look_closer, stretch)
        await asyncio.to_thread(self._report_emitters, span)
        self._on_progress(self._stream, self.outcome.checked)

    def _is_sound(self, span: Span) -> bool:
        """Compare a span at once; False: that has to be done piece by piece."""
        try:
            if not self._store.is_equal(self._stream, span.first, span.last):
                return False
            entries = self._store.entries(self._stream, span.first, span.last)
        except QueryFailedError as error:
            if not is_damage(error):
                raise
            return False
        self._take_entries(span.leaves(), entries)
        return True

    def _look_closer(self, stretch: Stretch) -> None:
        """Compare one stretch of a span that differs."""
        try:
            is_equal = self._store.is_equal(self._stream, stretch.first, stretch.last)
            entries = self._store.entries(self._stream, stretch.first, stretch.last)
        except QueryFailedError as error:
            if not is_damage(error):
                raise
            self._report_damage(stretch, error)
            return
        leaves = stretch.leaves
        if not is_equal:
            inspection = self._inspector.inspect(stretch)
            self.outcome.bad_sequences += inspection.bad_sequences
            self.outcome.vouched |= set(inspection.vouched)
            leaves = with_vouched(leaves, inspection.vouched)
        self._take_entries(leaves, entries)

    def _take_entries(self, leaves: Leaves, entries: list[Entry]) -> None:
        self._report_batches(self._ledger.take(leaves, entries))
        self._witnesses.take(entries)
        self._check_identities(entries)

    def _check_identities(self, entries: list[Entry]) -> None:
        identity = self._state.identity
        for entry in entries:
            if identity and entry.identity != identity:
                detail = f"batch of stream {entry.identity}, the bus has {identity}"
                self._report(ProblemKind.LEDGER_LINK, entry.sequence, detail)

    def _report_damage(self, stretch: Stretch, error: QueryFailedError) -> None:
        raws = dict(zip(stretch.messages.sequences, stretch.messages.payloads, strict=True))
        for first, last in self._store.damaged_ranges(self._stream, stretch.first, stretch.last):
            sequence = next((one for one in raws if one >= first), first)
            event_id, resource = describe(raws.get(sequence, b""))
            self.outcome.bad_ranges.append((first, last))
            self._report(
                ProblemKind.DAMAGED_RANGE,
                first,
                f"cannot be read: {error.reason}",
                event_id=event_id,
                resource=resource,
                last=last,
            )
        self._ledger.skip(stretch.last)

    def _report_batches(self, broken: list[BrokenBatch]) -> None:
        for batch in broken:
            if batch.entry is not None and batch.kind is not ProblemKind.LEDGER_LINK:
                self.outcome.doubtful.add(batch.entry.sequence)
            self.outcome.bad_ranges.append((batch.first, batch.last))
            self._report(batch.kind, batch.first, batch.detail, last=batch.last)

    def _report_emitters(self, span: Span) -> None:
        self._findings.report_all(span.problems)
        if not span.repeats:
            return
        for conflict in self._store.conflicts(self._stream, span.repeats):
            self._report(
                ProblemKind.EMITTER_CONFLICT,
                conflict.last,
                f"event {conflict.number} of the emitter is another one than at sequence "
                f"{conflict.first}",
                event_id=conflict.event_id,
                emitter_id=conflict.emitter_id,
            )

    def _finish(self) -> None:
        self._report_batches(self._ledger.finish())
        problems, unproven = self._maker.chains.finish()
        self._findings.report_all(problems)
        for item in unproven:
            self._findings.doubt(item)
        if self._unnumbered:
            self._doubt(
                UnprovenKind.UNNUMBERED, f"{self._unnumbered} events carry no emitter number"
            )
        if self._maker.believed:
            self._doubt(
                UnprovenKind.UNKNOWN_START,
                f"{self._maker.believed} events are flagged as repeats of none that is here",
            )
        for hole in self._holes.doubts(
            self._stream, [*self.outcome.bad_sequences, *self.outcome.vouched]
        ):
            self._findings.doubt(hole)
        self.outcome.head = self._ledger.head

    def _doubt(self, kind: UnprovenKind, detail: str) -> None:
        sequence = self._scope.first
        self._findings.doubt(
            Unproven(kind=kind, stream=self._stream, sequence=sequence, detail=detail)
        )

    def _report(
        self,
        kind: ProblemKind,
        sequence: int,
        detail: str,
        *,
        event_id: str | None = None,
        resource: str | None = None,
        emitter_id: str | None = None,
        last: int | None = None,
    ) -> None:
        self._findings.report(
            Problem(
                kind=kind,
                stream=self._stream,
                sequence=sequence,
                last_sequence=last,
                event_id=event_id,
                resource=resource,
                emitter_id=emitter_id,
                detail=detail,
            )
        )
