"""One stream's verification: reads it stretch by stretch and compares it span by span.

The stages overlap. While the engine decodes one stretch, the next is prepared and the one after it
read; at most three are in memory. Meanwhile the engine sums up the rows that history has, at most
two spans ahead, so that only two sums are left to be compared when a span's last stretch is
decoded. What is closer looked at is read from the stream once more.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from dataclasses import dataclass, field

from infrastructure.errors import InsertRejectedError, QueryFailedError
from infrastructure.history.refusals import blames_rows
from infrastructure.history.verify.breaks import BreakReport
from infrastructure.history.verify.cutting import Cut, Cutter
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
from infrastructure.history.verify.source import MessageSource, StreamState, read_everything
from infrastructure.history.verify.span import Piece, Span, plan_spans
from infrastructure.history.verify.store import Sums, VerifyStore, is_damage
from infrastructure.history.verify.stretch import Stretch, describe, make_maker


@dataclass(frozen=True, slots=True)
class _Stored:
    """What history says of a span."""

    sums: Sums
    entries: list[Entry]


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
        self._breaks = BreakReport(store, state.name, findings)
        self._unnumbered = 0
        self._holes = Holes()
        if scope.is_from_start:
            self._holes.take((), 1, scope.first - 1)
        self.outcome = StreamOutcome()

    async def run(self) -> StreamOutcome:
        """Read, compare and report."""
        stored: asyncio.Queue[_Stored | None] = asyncio.Queue(maxsize=1)
        loading: asyncio.Task[None] | None = None
        comparing: asyncio.Task[None] | None = None
        async with asyncio.TaskGroup() as group:
            group.create_task(self._sum_up(stored))
            async for cut in self._cuts():
                flagged = await self._flagged(cut.first, cut.last)
                # In a thread, so that the messages after it keep coming.
                stretch = await asyncio.to_thread(self._prepare, cut, flagged)
                if loading is not None:
                    await loading
                loading = group.create_task(asyncio.to_thread(self._load, cut.span, stretch))
                if cut.ends_span:
                    if comparing is not None:
                        await comparing
                    comparing = group.create_task(self._complete(cut.span, loading, stored))
        await asyncio.to_thread(self._finish)
        return self.outcome

    async def _cuts(self) -> AsyncIterator[Cut]:
        cutter = Cutter(self._spans())
        async for messages in self._read(self._scope.first, self._scope.last):
            for cut in cutter.add(messages):
                yield cut
        for cut in cutter.finish():
            yield cut

    def _spans(self) -> Iterator[Span]:
        return plan_spans(self._scope.first, self._scope.last)

    def _read(self, first: int, last: int) -> AsyncIterator[Messages]:
        return read_everything(self._source, self._store, self._state, first, last)

    async def _sum_up(self, stored: asyncio.Queue[_Stored | None]) -> None:
        """Sum up history's rows span by span, as far ahead as the queue has room."""
        for span in self._spans():
            await stored.put(await asyncio.to_thread(self._stored, span))

    def _stored(self, span: Span) -> _Stored | None:
        """Return what history says of a span; None where it cannot be read."""
        try:
            return _Stored(
                self._store.stored_sums(self._stream, span.first, span.last),
                self._store.entries(self._stream, span.first, span.last),
            )
        except QueryFailedError as error:
            if not is_damage(error):
                raise
            return None

    async def _flagged(self, first: int, last: int) -> set[int]:
        """Return what history takes for repeats, where the events repeated may be gone."""
        if self._scope.is_from_start:
            return set()
        return await asyncio.to_thread(self._store.repeats, self._stream, first, last)

    def _prepare(self, cut: Cut, flagged: Collection[int]) -> Stretch:
        """Make a stretch; what its emitters give rise to is told when its span is compared."""
        stretch = self._maker.make(cut.messages, cut.first, cut.last, flagged)
        self._holes.take(cut.messages.sequences, cut.first, cut.last)
        cut.span.problems += self._maker.chains.take_problems()
        cut.span.repeats |= self._maker.chains.take_repeats()
        cut.span.breaks += self._maker.resources.take_breaks()
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

    async def _complete(
        self,
        span: Span,
        loading: asyncio.Task[None],
        stored: asyncio.Queue[_Stored | None],
    ) -> None:
        """Compare a span once its last stretch is loaded; where it differs, stretch by stretch."""
        await loading
        if not await asyncio.to_thread(self._is_sound, span, await stored.get()):
            for piece in span.pieces:
                await asyncio.to_thread(self._look_closer, await self._read_again(piece))
        await asyncio.to_thread(self._report_emitters, span)
        await asyncio.to_thread(self._breaks.report, span.breaks)
        self._on_progress(self._stream, self.outcome.checked)

    def _is_sound(self, span: Span, stored: _Stored | None) -> bool:
        """Compare a span at once; False: that has to be done piece by piece."""
        loaded = self._store.loaded_sums(self._stream, span.first, span.last)
        if stored is None or stored.sums != loaded:
            return False
        self._take_entries(span.leaves(), stored.entries)
        return True

    async def _read_again(self, piece: Piece) -> Stretch:
        messages = Messages()
        async for more in self._read(piece.first, piece.last):
            messages.join(more)
        return self._again(piece, messages)

    def _look_closer(self, stretch: Stretch) -> None:
        """Compare one stretch of a span that differs."""
        first, last = stretch.first, stretch.last
        try:
            stored = self._store.stored_sums(self._stream, first, last)
            entries = self._store.entries(self._stream, first, last)
        except QueryFailedError as error:
            if not is_damage(error):
                raise
            self._report_damage(stretch, error)
            return
        leaves = stretch.leaves
        if stored != self._store.loaded_sums(self._stream, first, last):
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
        self._maker.resources.finish()
        self._breaks.report(self._maker.resources.take_breaks())
        self._breaks.finish()
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
