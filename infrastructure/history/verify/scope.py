"""What of a stream is verified, and what is known beforehand: decided from ends alone; pure."""

from dataclasses import dataclass

from infrastructure.history.verify.findings import (
    Findings,
    Problem,
    ProblemKind,
    Unproven,
    UnprovenKind,
)
from infrastructure.history.verify.ledger import Entry
from infrastructure.history.verify.source import StreamState
from infrastructure.history.verify.store import Extent
from infrastructure.ingestor.ledger import Head


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What of a stream is verified."""

    first: int
    last: int
    before: Entry | None
    """The ledger's entry before `first`, also one whose row was pruned."""
    is_from_start: bool
    """Whether nothing was ever stored before `first`."""
    is_to_end: bool
    """Whether it reaches the end of history."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to verify."""
        return self.first > self.last


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What was asked for."""

    first: int | None = None
    last: int | None = None

    @property
    def is_everything(self) -> bool:
        """Whether no range was asked for."""
        return self.first is None and self.last is None


def pruned_entry(heads: list[Head], first: int) -> Entry | None:
    """Return the newest pruned head before `first`, as the entry that the next batch links to."""
    earlier = [head for head in heads if head.sequence < first]
    if not earlier:
        return None
    head = earlier[-1]
    return Entry(head.sequence, 0, b"", head.root, 0, "")


def plan_scope(
    wanted: Wanted, extent: Extent, state: StreamState, before: Entry | None, end: int
) -> Scope:
    """Return what to verify.

    Args:
        wanted: what was asked for.
        extent: what history holds.
        state: what the bus holds.
        before: the entry before the first row to verify: of the ledger, or of what was pruned.
        end: the last sequence of the batch in which the wanted range ends.
    """
    if not extent.row_count:
        return Scope(first=1, last=0, before=None, is_from_start=True, is_to_end=True)
    start = min(extent.first, state.first) if state.last else extent.first
    if before is not None:
        start = before.sequence + 1
    last = min(extent.last, end)
    return Scope(
        first=start,
        last=last,
        before=before,
        is_from_start=before is None,
        is_to_end=last == extent.last,
    )


def report_scope(
    scope: Scope, wanted: Wanted, extent: Extent, state: StreamState, pruned: list[Head],
    findings: Findings,
) -> None:  # fmt: skip
    """Say what the ends tell: history ahead of the stream, expired, pruned, or not asked for."""
    if extent.row_count and extent.last > state.last:
        findings.report(
            Problem(
                kind=ProblemKind.HISTORY_AHEAD,
                stream=state.name,
                sequence=state.last + 1,
                last_sequence=extent.last,
                detail=f"history reaches {extent.last}, the stream never went beyond {state.last}",
            )
        )
    if pruned and wanted.is_everything:
        _doubt(
            findings, UnprovenKind.PRUNED_HISTORY, state, 1,
            f"rows up to {pruned[-1].sequence} were pruned, their heads are kept",
        )  # fmt: skip
    if not scope.is_empty and scope.first < state.first:
        _doubt(
            findings, UnprovenKind.EXPIRED_STREAM, state, scope.first,
            f"the stream begins at {state.first}: rows before are proven against the ledger only",
        )  # fmt: skip
    if not wanted.is_everything:
        _doubt(
            findings, UnprovenKind.PARTIAL_RANGE, state, scope.first,
            f"only {scope.first} to {scope.last} were verified",
        )  # fmt: skip


def _doubt(
    findings: Findings, kind: UnprovenKind, state: StreamState, sequence: int, detail: str
) -> None:
    findings.doubt(Unproven(kind=kind, stream=state.name, sequence=sequence, detail=detail))
