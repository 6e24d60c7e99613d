"""A closer look at a stretch that differs: names each row and column, and says which side is right.

Blocking. Only runs where digests over rows and messages differ.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from infrastructure.history.verify.findings import Findings, Problem, ProblemKind
from infrastructure.history.verify.heads import WitnessCheck
from infrastructure.history.verify.ledger import PIECES, Entry, Leaves
from infrastructure.history.verify.rows import Difference, Fact, compare_rows
from infrastructure.history.verify.store import VerifyStore
from infrastructure.history.verify.stretch import Stretch, describe
from infrastructure.ingestor.batching import next_edge
from infrastructure.ingestor.ledger import next_root, prefixed

_CONTENT_KINDS = {
    ProblemKind.FOREIGN_ROW: ProblemKind.MESSAGE_DROPPED,
    ProblemKind.RAW_CHANGED: ProblemKind.MESSAGE_CHANGED,
    ProblemKind.REORDERED_ROW: ProblemKind.MESSAGE_CHANGED,
    ProblemKind.SUBJECT_CHANGED: ProblemKind.MESSAGE_CHANGED,
}
"""What a difference is when the ledger vouches for the row."""


@dataclass(slots=True)
class Inspection:
    """What a closer look has found."""

    vouched: dict[int, Fact]
    """Rows that the ledger vouches for although the stream says otherwise."""
    bad_sequences: list[int]
    """Where history has to be rebuilt."""


class Inspector:
    """Looks closer at stretches of one stream."""

    def __init__(
        self, store: VerifyStore, stream: str, findings: Findings, witnesses: WitnessCheck
    ) -> None:
        self._store = store
        self._stream = stream
        self._findings = findings
        self._witnesses = witnesses
        self._looked_up: tuple[int, int, Entry | None] = (1, 0, None)
        """The entry found last and where it holds: differences come in runs."""

    def inspect(self, stretch: Stretch) -> Inspection:
        """Report what differs in a stretch."""
        rows = self._store.row_facts(self._stream, stretch.first, stretch.last)
        differences = compare_rows(stretch.facts(), rows)
        raws = dict(zip(stretch.messages.sequences, stretch.messages.payloads, strict=True))
        result = Inspection({}, [])
        before = self._findings.problem_count
        vouched_rows = dict(rows)
        known: dict[int, bool] = {}
        for difference in differences:
            self._report(difference, raws, vouched_rows, known, result)
        self._report_columns(stretch, raws, result)
        if self._findings.problem_count == before:
            self._report_unnamed(stretch, result)
        return result

    def _report_unnamed(self, stretch: Stretch, result: Inspection) -> None:
        """Report a difference that no row shows: what is not understood is not sound either."""
        result.bad_sequences += stretch.messages.sequences
        self._findings.report(
            Problem(
                kind=ProblemKind.COLUMN_CHANGED,
                stream=self._stream,
                sequence=stretch.first,
                last_sequence=stretch.last,
                detail="digests over these rows and over their messages differ",
            )
        )

    def _report(
        self,
        difference: Difference,
        raws: Mapping[int, bytes],
        rows: Mapping[int, Fact],
        known: dict[int, bool],
        result: Inspection,
    ) -> None:
        kind, sequence = difference.kind, difference.sequence
        if kind in _CONTENT_KINDS and self._is_vouched(sequence, known):
            kind = _CONTENT_KINDS[kind]
            result.vouched[sequence] = rows[sequence]
        else:
            result.bad_sequences.append(sequence)
        event_id, resource = (
            self._describe(sequence, raws) if self._findings.has_room(kind) else (None, None)
        )
        self._findings.report(
            Problem(
                kind=kind,
                stream=self._stream,
                sequence=sequence,
                event_id=event_id,
                resource=resource,
                detail=difference.detail,
            )
        )

    def _report_columns(
        self, stretch: Stretch, raws: Mapping[int, bytes], result: Inspection
    ) -> None:
        self._store.load_wide(stretch.parts, len(stretch.messages))
        bad = set(result.bad_sequences)
        for changed in self._store.changed_columns(self._stream, stretch.first, stretch.last):
            if changed.sequence in bad:
                continue
            result.bad_sequences.append(changed.sequence)
            event_id, resource = self._describe(changed.sequence, raws)
            names = ", ".join(changed.names)
            self._findings.report(
                Problem(
                    kind=ProblemKind.COLUMN_CHANGED,
                    stream=self._stream,
                    sequence=changed.sequence,
                    event_id=event_id,
                    resource=resource,
                    column=changed.names[0],
                    detail=f"not what raw decodes to: {names}",
                )
            )

    def _describe(self, sequence: int, raws: Mapping[int, bytes]) -> tuple[str | None, str | None]:
        raw = raws.get(sequence)
        if raw is None:
            _, _, stored = self._store.messages(self._stream, sequence, sequence, 1)
            raw = stored[0] if stored else b""
        return describe(raw)

    def _is_vouched(self, sequence: int, known: dict[int, bool]) -> bool:
        """Whether the batch of a row, as history has it, gives the root that the ledger has."""
        entry = self._covering_entry(sequence)
        if entry is None:
            return False
        if entry.sequence not in known:
            known[entry.sequence] = self._is_confirmed(entry) and self._gives_root(entry)
        return known[entry.sequence]

    def _covering_entry(self, sequence: int) -> Entry | None:
        """Return the entry of the batch of a row; one query per batch or gap, not per row."""
        first, last, entry = self._looked_up
        if not first <= sequence <= last:
            end = next_edge(sequence) - 1
            following = self._store.entries(self._stream, sequence, end)
            if not following:
                entry, first, last = None, sequence, end
            elif following[0].prev_sequence >= sequence:
                entry, first, last = None, sequence, following[0].prev_sequence
            else:
                entry = following[0]
                first, last = entry.prev_sequence + 1, entry.sequence
            self._looked_up = (first, last, entry)
        return entry

    def _is_confirmed(self, entry: Entry) -> bool:
        """Whether no witness speaks against an entry."""
        return all(
            witness.head.root == entry.root
            for witness in self._witnesses.waiting.get(entry.sequence, [])
        )

    def _gives_root(self, entry: Entry) -> bool:
        rows = self._store.row_facts(self._stream, entry.prev_sequence + 1, entry.sequence)
        pieces = [piece for sequence, fact in rows for piece in pieces_of(sequence, fact)]
        return next_root(entry.prev_root, entry.identity, pieces) == entry.root


def pieces_of(sequence: int, fact: Fact) -> tuple[bytes, bytes, bytes]:
    """Return what a row adds to its batch of the ledger."""
    return sequence.to_bytes(8, "big"), prefixed(fact.subject), fact.digest


def with_vouched(leaves: Leaves, vouched: Mapping[int, Fact]) -> Leaves:
    """Return leaves in which the rows that the ledger vouches for replace or join the messages."""
    if not vouched:
        return leaves
    at = range(0, len(leaves.pieces), PIECES)
    merged = {
        sequence: tuple(leaves.pieces[start : start + PIECES])
        for sequence, start in zip(leaves.sequences, at, strict=True)
    }
    merged.update((sequence, pieces_of(sequence, fact)) for sequence, fact in vouched.items())
    sequences = sorted(merged)
    return Leaves(sequences, [piece for sequence in sequences for piece in merged[sequence]])
