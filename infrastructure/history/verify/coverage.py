"""Which streams are verified: all that anything speaks of, also when history has lost every row."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from infrastructure.errors import QueryFailedError
from infrastructure.history.verify.findings import (
    Findings,
    Problem,
    ProblemKind,
    Unproven,
    UnprovenKind,
)
from infrastructure.history.verify.heads import Witness
from infrastructure.history.verify.source import MessageSource, names_of
from infrastructure.history.verify.store import VerifyStore, is_damage
from infrastructure.ingestor.config import DEFAULT_STREAMS
from infrastructure.ingestor.ledger import GENESIS, Head, format_head
from nervous_system.comms.streams import EVENTS_STREAM

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Coverage:
    """The streams to verify."""

    names: tuple[str, ...]
    """The main stream first."""
    is_listed: bool
    """Whether history could say which streams it holds rows of."""


async def find_streams(
    store: VerifyStore, source: MessageSource, expected: Sequence[Head] = ()
) -> Coverage:
    """Return the streams that have rows, noted, pruned or expected heads, or are always ingested.

    Rows alone do not tell: a stream that has lost all of them is the one to be looked at.
    """
    listed = await asyncio.to_thread(readable, store.streams)
    names = {*DEFAULT_STREAMS, *(listed or ()), *(head.stream for head in expected)}
    names |= set(await source.noted_streams())
    names |= set(await asyncio.to_thread(store.pruned_streams))
    return Coverage(tuple(names_of(sorted(names), EVENTS_STREAM)), listed is not None)


def readable(ask: Callable[[], T]) -> T | None:
    """Return the answer, or None where damage keeps history from giving one."""
    try:
        return ask()
    except QueryFailedError as error:
        if not is_damage(error):
            raise
        return None


def report_unlisted(coverage: Coverage, findings: Findings) -> None:
    """Say that history cannot name its streams, unless the damage behind that was found."""
    kinds = {problem.kind for problem in findings.problems}
    if coverage.is_listed or ProblemKind.DAMAGED_RANGE in kinds:
        return
    _damaged(findings, EVENTS_STREAM, "which streams history holds rows of cannot be read")


def report_unreadable(stream: str, findings: Findings) -> None:
    """Say that neither history nor the bus can tell where this stream's rows begin and end."""
    _damaged(findings, stream, "where its rows begin and end cannot be read")


def _damaged(findings: Findings, stream: str, detail: str) -> None:
    kind = ProblemKind.DAMAGED_RANGE
    findings.report(Problem(kind=kind, stream=stream, sequence=1, detail=detail))


def report_nowhere(stream: str, expected: Sequence[Witness], findings: Findings) -> None:
    """Say that a head is expected of a stream that nothing else knows."""
    for witness in expected:
        _mismatch(findings, witness, f"neither history nor the bus has a stream {stream}")


def report_unjudged(
    expected: Sequence[Witness], first: int, last: int, findings: Findings, *, is_part: bool
) -> None:
    """Say which expected heads lie outside what was verified, from `first` to `last`."""
    for witness in expected:
        head = witness.head
        if head.sequence == 0 and head.root == GENESIS:
            continue
        if not is_part:
            _mismatch(findings, witness, f"history has nothing before {first}")
            continue
        findings.doubt(
            Unproven(
                kind=UnprovenKind.PARTIAL_RANGE,
                stream=head.stream,
                sequence=head.sequence,
                detail=f"{format_head(head)} lies outside what was verified, {first} to {last}",
            )
        )


def _mismatch(findings: Findings, witness: Witness, detail: str) -> None:
    findings.report(
        Problem(
            kind=ProblemKind.HEAD_MISMATCH,
            stream=witness.head.stream,
            sequence=witness.head.sequence,
            detail=f"{format_head(witness.head)} of {witness.source}: {detail}",
        )
    )
