"""One stream's verification: reads it stretch by stretch and compares each with history.

While the engine compares one stretch, the next is read and prepared; at most two are in memory.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from infrastructure.errors import InsertRejectedError, QueryFailedError
from infrastructure.history.verify.findings import (
    Findings,
    Problem,
    ProblemKind,
    Unproven,
    UnprovenKind,
)
from infrastructure.history.verify.heads import WitnessCheck
from infrastructure.history.verify.inspection import Inspector, with_vouched
from infrastructure.history.verify.ledger import BrokenBatch, Entry, LedgerCheck
from infrastructure.history.verify.messages import Messages
from infrastructure.history.verify.refusal import refused_positions
from infrastructure.history.verify.scope import Scope
from infrastructure.history.verify.source import (
    Collector,
    MessageSource,
    StreamState,
    read_everything,
)
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
        self.outcome = StreamOutcome()

    async def run(self) -> StreamOutcome:
        """Read, compare and report."""
        next_sequence = self._scope.first
        comparing: asyncio.Task[None] | None = None
        async with asyncio.TaskGroup() as group:
            async for messages in self._stretches():
                stretch = self._maker.make(messages, next_sequence, messages.sequences[-1])
                next_sequence = stretch.last + 1
                if comparing is not None:
                    await comparing
                    self._on_progress(self._stream, self.outcome.checked)
                comparing = group.create_task(asyncio.to_thread(self._compare, stretch))
        await asyncio.to_thread(self._finish, next_sequence)
        return self.outcome

    async def _stretches(self) -> AsyncIterator[Messages]:
        collector = Collector()
        first, last = self._scope.first, self._scope.last
        async for messages in read_everything(self._source, self._store, self._state, first, last):
            if full := collector.add(messages):
                yield full
        if rest := collector.take():
            yield rest

    def _compare(self, stretch: Stretch) -> None:
        """Compare one stretch; blocking, one at a time."""
        self.outcome.checked += len(stretch.messages)
        self._unnumbered += stretch.unnumbered
        self.outcome.repeated |= {stretch.messages.sequences[at] for at in stretch.repeated}
        stretch = self._load(stretch)
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
        self._report_batches(self._ledger.take(leaves, entries))
        self._witnesses.take(entries)
        self._check_identities(entries)
        self._report_emitters()

    def _check_identities(self, entries: list[Entry]) -> None:
        identity = self._state.identity
        for entry in entries:
            if identity and entry.identity != identity:
                detail = f"batch of stream {entry.identity}, the bus has {identity}"
                self._report(ProblemKind.LEDGER_LINK, entry.sequence, detail)

    def _load(self, stretch: Stretch) -> Stretch:
        try:
            self._store.load(stretch.parts, len(stretch.messages))
        except InsertRejectedError:
            refused = refused_positions(self._store, stretch.parts)
            stretch = self._maker.again(stretch, refused)
            self._store.load(stretch.parts, len(stretch.messages))
        return stretch

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

    def _report_emitters(self) -> None:
        self._findings.report_all(self._maker.chains.take_problems())
        repeats = self._maker.chains.take_repeats()
        if not repeats:
            return
        for conflict in self._store.conflicts(self._stream, repeats):
            self._report(
                ProblemKind.EMITTER_CONFLICT,
                conflict.last,
                f"event {conflict.number} of the emitter is another one than at sequence "
                f"{conflict.first}",
                event_id=conflict.event_id,
                emitter_id=conflict.emitter_id,
            )

    def _finish(self, next_sequence: int) -> None:
        if next_sequence <= self._scope.last:  # rows, but no message any more
            self._compare(self._maker.make(Messages([], [], []), next_sequence, self._scope.last))
        self._report_batches(self._ledger.finish())
        problems, unproven = self._maker.chains.finish()
        self._findings.report_all(problems)
        for item in unproven:
            self._findings.doubt(item)
        if self._unnumbered:
            self._findings.doubt(
                Unproven(
                    kind=UnprovenKind.UNNUMBERED,
                    stream=self._stream,
                    sequence=self._scope.first,
                    detail=f"{self._unnumbered} events carry no emitter number",
                )
            )
        self.outcome.head = self._ledger.head

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
