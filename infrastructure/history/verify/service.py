"""Verification as a whole: every stream, every noted head, one report."""

import asyncio
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from infrastructure.history.client import HistoryClient
from infrastructure.history.verify.coverage import (
    find_streams,
    readable,
    report_nowhere,
    report_unjudged,
    report_unlisted,
    report_unreadable,
)
from infrastructure.history.verify.findings import Findings, Report, Unproven, UnprovenKind
from infrastructure.history.verify.heads import Witness, WitnessCheck
from infrastructure.history.verify.scope import (
    Scope,
    Wanted,
    plan_scope,
    pruned_entry,
    report_scope,
)
from infrastructure.history.verify.source import MessageSource, StreamState
from infrastructure.history.verify.store import Extent, VerifyStore, open_store
from infrastructure.history.verify.stream_check import StreamCheck, StreamOutcome
from infrastructure.history.verify.testimony import Testimony
from infrastructure.ingestor.ledger import Head, format_head
from nervous_system.comms.streams import EVENTS_STREAM

EXPECTED = "--expect"
"""Source of heads that the caller has noted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyRequest:
    """What to verify, and against what."""

    wanted: Wanted = field(default_factory=Wanted)
    expected: tuple[Head, ...] = ()
    """Heads that somebody noted earlier."""
    public_key: Ed25519PublicKey | None = None
    """Noted heads have to be signed by this key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamResult:
    """What was found in one stream, for a repair to go on from."""

    state: StreamState
    scope: Scope
    outcome: StreamOutcome
    witnesses: tuple[Witness, ...]


@dataclass(slots=True, kw_only=True)
class Verification:
    """A report and what a repair needs beside it."""

    report: Report
    streams: list[StreamResult]


async def verify(
    client: HistoryClient,
    source: MessageSource,
    request: VerifyRequest,
    on_progress: Callable[[str, int], None] = lambda stream, checked: None,
) -> Verification:
    """Compare history with the stream, the ledger, the emitters' chains and the noted heads.

    Args:
        client: history, as somebody who may create a scratch database.
        source: the bus.
        request: what to verify.
        on_progress: told the stream and how many of its messages have been compared.

    Raises:
        HistoryUnavailableError: history cannot be reached.
        QueryFailedError: history cannot answer for another reason than damaged data.
        BusUnavailableError: the bus cannot be read.
    """
    findings = Findings()
    result = Verification(report=Report(), streams=[])
    is_whole = request.wanted.first is None
    async with open_store(client, with_repeats=is_whole) as store:
        coverage = await find_streams(store, source, request.expected)
        for stream in coverage.names:
            found = await _verify_stream(store, source, stream, request, findings, on_progress)
            if found is not None:
                result.streams.append(found)
        report_unlisted(coverage, findings)
    report = result.report
    report.checked = sum(found.outcome.checked for found in result.streams)
    report.heads = [format_head(head) for found in result.streams if (head := _head(found))]
    report.problems, report.unproven = findings.problems, findings.unproven
    report.problem_count = findings.problem_count
    return result


async def is_noted(client: HistoryClient, source: MessageSource) -> bool:
    """Return whether each ledger's last head is noted; the ingestor does so within a second."""
    store = VerifyStore(client, "", (), (), with_repeats=False)
    for stream in await asyncio.to_thread(readable, store.streams) or ():
        extent = await asyncio.to_thread(_extent, store, stream)
        if extent is not None and await source.last_noted(stream) < extent.last:
            return False
    return True


async def is_cut_off(client: HistoryClient, source: MessageSource) -> bool:
    """Return whether heads were noted beyond the end of history: rows are gone, not late.

    Raises:
        HistoryUnavailableError: history cannot be reached.
        BusUnavailableError: the bus cannot be read.
    """
    store = VerifyStore(client, "", (), (), with_repeats=False)
    for stream in (await find_streams(store, source)).names:
        noted = await source.witnesses(stream) or []
        extent = await asyncio.to_thread(_extent, store, stream)
        if extent is None or any(one.head.sequence > extent.last for one in noted):
            return True
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What is known of a stream before anything of it is compared."""

    noted: list[Witness] | None
    extent: Extent | None
    """None: damage keeps history from telling."""
    state: StreamState
    pruned: list[Head]

    @property
    def is_nothing(self) -> bool:
        """Whether nothing but a caller's word speaks of this stream."""
        has_rows = self.extent is None or self.extent.row_count > 0
        return not (has_rows or self.state.identity or self.noted or self.pruned)


async def _look(store: VerifyStore, source: MessageSource, stream: str) -> _Known:
    # In this order, since all three grow: what is noted was stored, what is stored was published.
    noted = await source.witnesses(stream)
    extent = await asyncio.to_thread(_extent, store, stream)
    state = await source.state(stream)
    pruned = await asyncio.to_thread(store.pruned_heads, stream)
    return _Known(noted=noted, extent=extent, state=state, pruned=pruned)


async def _verify_stream(
    store: VerifyStore,
    source: MessageSource,
    stream: str,
    request: VerifyRequest,
    findings: Findings,
    on_progress: Callable[[str, int], None],
) -> StreamResult | None:
    """Verify one stream; None: there is no such stream."""
    known = await _look(store, source, stream)
    state, pruned = known.state, known.pruned
    expected = _expected(stream, request.expected)
    if known.is_nothing and stream != EVENTS_STREAM:
        report_nowhere(stream, expected, findings)
        return None
    extent = known.extent
    if extent is None:
        extent = Extent(row_count=1, first=min(state.first, 1), last=state.last)
    scope = await asyncio.to_thread(_plan, store, stream, request.wanted, extent, state, pruned)
    report_scope(scope, request.wanted, extent, state, pruned, findings)
    if known.extent is None and scope.is_empty:
        report_unreadable(stream, findings)
    witnesses = [*(known.noted or ()), *expected]
    check = WitnessCheck.of(witnesses)
    _doubt_pruned(findings, [one for one in check.take_pruned(pruned) if one.source == EXPECTED])
    outcome = StreamOutcome()
    if not scope.is_empty:
        outcome = await StreamCheck(store, source, state, scope, check, findings, on_progress).run()
    testimony = Testimony(store, source, state, findings)
    await testimony.judge(check, scope.first, scope.last, to_end=scope.is_to_end)
    _report_unjudged(check, scope, request.wanted, findings)
    if known.noted is None:
        _doubt_witnesses(findings, stream)
    elif request.public_key is not None:
        testimony.check_signatures(known.noted, request.public_key)
    return StreamResult(state=state, scope=scope, outcome=outcome, witnesses=tuple(witnesses))


def _report_unjudged(check: WitnessCheck, scope: Scope, wanted: Wanted, findings: Findings) -> None:
    """Say which expected heads the range left out."""
    judged_to = sys.maxsize if scope.is_to_end else scope.last
    left_out = [one for one in check.outside(scope.first, judged_to) if one.source == EXPECTED]
    report_unjudged(left_out, scope.first, scope.last, findings, is_part=not wanted.is_everything)


def _plan(
    store: VerifyStore,
    stream: str,
    wanted: Wanted,
    extent: Extent,
    state: StreamState,
    pruned: list[Head],
) -> Scope:
    """Widen the wanted range to whole batches, which is what the ledger speaks of."""
    before = pruned_entry(pruned, extent.first)
    if wanted.first is not None:
        before = readable(lambda: store.entry_before(stream, wanted.first or 1)) or before
    end = extent.last
    if wanted.last is not None:
        closing = readable(lambda: store.next_entry(stream, wanted.last or 1))
        end = closing.sequence if closing else extent.last
    return plan_scope(wanted, extent, state, before, end)


def _extent(store: VerifyStore, stream: str) -> Extent | None:
    return readable(lambda: store.extent(stream))


def _expected(stream: str, heads: Sequence[Head]) -> list[Witness]:
    return [Witness(head=head, source=EXPECTED) for head in heads if head.stream == stream]


def _doubt_witnesses(findings: Findings, stream: str) -> None:
    findings.doubt(
        Unproven(
            kind=UnprovenKind.NO_WITNESS,
            stream=stream,
            sequence=1,
            detail="there is no stream SWARM_CHECKPOINTS that notes heads outside history",
        )
    )


def _doubt_pruned(findings: Findings, expected: Sequence[Witness]) -> None:
    for witness in expected:
        findings.doubt(
            Unproven(
                kind=UnprovenKind.PRUNED_HISTORY,
                stream=witness.head.stream,
                sequence=witness.head.sequence,
                detail=f"{format_head(witness.head)} lies within what was pruned",
            )
        )


def _head(found: StreamResult) -> Head | None:
    entry = found.outcome.head
    return Head(found.state.name, entry.sequence, entry.root) if entry else None
