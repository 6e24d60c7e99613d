"""What a verification says: problems, what it cannot prove, and the report around both."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class ProblemKind(StrEnum):
    """What is wrong. The values are public: they appear in `swarm verify --json`."""

    MISSING_ROW = "missing_row"
    """The stream holds a message that has no row."""
    DOUBLED_ROW = "doubled_row"
    """A message has more than one row."""
    FOREIGN_ROW = "foreign_row"
    """A row stands for no message, and the ledger does not know it either."""
    REORDERED_ROW = "reordered_row"
    """A row holds what the stream holds at another sequence."""
    RAW_CHANGED = "raw_changed"
    """`raw` is not what was received."""
    SUBJECT_CHANGED = "subject_changed"
    """`subject` is not what was received."""
    COLUMN_CHANGED = "column_changed"
    """A column is not what its row's `raw` decodes to."""
    MESSAGE_DROPPED = "message_dropped"
    """The ledger vouches for a row whose message is gone from the middle of the stream."""
    MESSAGE_CHANGED = "message_changed"
    """The ledger vouches for a row, and the stream's message differs from it."""
    DAMAGED_RANGE = "damaged_range"
    """History cannot read these rows any more."""
    TAIL_CUT = "tail_cut"
    """Rows up to a head that was witnessed are gone from the end of history."""
    HISTORY_AHEAD = "history_ahead"
    """History holds sequences that the stream never had."""
    LEDGER_LINK = "ledger_link"
    """A ledger entry does not name the root before it."""
    LEDGER_ROOT = "ledger_root"
    """A ledger root is not the one of its batch."""
    LEDGER_COUNT = "ledger_count"
    """A ledger entry counts other rows than its batch has."""
    LEDGER_MISSING = "ledger_missing"
    """Rows are covered by no ledger entry."""
    HEAD_MISMATCH = "head_mismatch"
    """A head that was witnessed does not hold for what is there now."""
    SIGNATURE = "signature"
    """A head is not signed by the key asked for."""
    EMITTER_GAP = "emitter_gap"
    """Numbers of an emitter are missing."""
    EMITTER_CONFLICT = "emitter_conflict"
    """An emitter used one number for two different events."""
    EMITTER_CHAIN = "emitter_chain"
    """`previous_digest` is not the digest of the emitter's event before."""
    EMITTER_COUNT = "emitter_count"
    """An emitter's final count is not the number of its last event."""
    RESOURCE_CHAIN = "resource_chain"
    """A change does not start from the state that the resource's last change left behind."""


class UnprovenKind(StrEnum):
    """What nobody can know from what is there. Public as `ProblemKind` is."""

    OPEN_END = "open_end"
    """The emitter has not said that it stopped: later events may be lost."""
    UNKNOWN_START = "unknown_start"
    """The emitter's first events are no longer, or were not asked for."""
    UNCHAINED = "unchained"
    """The emitter numbers its events but does not link them."""
    UNNUMBERED = "unnumbered"
    """Events without an emitter number: whether one is missing cannot be seen."""
    EXPIRED_STREAM = "expired_stream"
    """The stream no longer holds these messages: proven against the ledger only."""
    PRUNED_HISTORY = "pruned_history"
    """History no longer holds these rows; their ledger heads are kept."""
    NEVER_STORED = "never_stored"
    """Sequences that neither stream nor history holds: removed before they were ingested."""
    NO_WITNESS = "no_witness"
    """Ledger entries that no checkpoint confirms yet."""
    LEDGER_REWRITTEN = "ledger_rewritten"
    """Witnessed heads hold for the messages, but the ledger was cut into batches anew since."""
    UNSIGNED = "unsigned"
    """Heads carry no signature."""
    PARTIAL_RANGE = "partial_range"
    """Only part of history was asked for."""
    RESOURCE_CHAIN = "resource_chain"
    """A change starts from no recorded state; its emitter does not number what it sends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong, at its first bad event."""

    kind: ProblemKind
    stream: str
    sequence: int
    detail: str
    """What was expected and what was found, for people."""
    event_id: str | None = None
    resource: str | None = None
    """The state that the event changed, where it changed one."""
    emitter_id: str | None = None
    """The emitter that it is about."""
    column: str | None = None
    """The first column that it is about."""
    last_sequence: int | None = None
    """End of the range, where it is about more than one sequence."""
    last_valid_sequence: int | None = None
    """Of the last event that is as it should be, where it is about what follows that one."""
    last_valid_event_id: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the public form."""
        return {
            "kind": self.kind.value,
            "stream": self.stream,
            "sequence": self.sequence,
            "last_sequence": self.last_sequence or self.sequence,
            "event_id": self.event_id,
            "resource": self.resource,
            "emitter_id": self.emitter_id,
            "column": self.column,
            "last_valid_sequence": self.last_valid_sequence,
            "last_valid_event_id": self.last_valid_event_id,
            "detail": self.detail,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Unproven:
    """One thing that may or may not be as it should."""

    kind: UnprovenKind
    stream: str
    sequence: int
    """Where the unknown begins."""
    detail: str
    emitter_id: str | None = None
    """The emitter, where it is about one."""

    def as_json(self) -> dict[str, Any]:
        """Return the public form."""
        return {
            "kind": self.kind.value,
            "stream": self.stream,
            "sequence": self.sequence,
            "emitter_id": self.emitter_id,
            "detail": self.detail,
        }


@dataclass(slots=True, kw_only=True)
class Report:
    """The outcome of one verification."""

    checked: int = 0
    """Messages and rows compared."""
    heads: list[str] = field(default_factory=list)
    """The head of each stream's ledger, `stream@sequence:hex`."""
    problems: list[Problem] = field(default_factory=list)
    unproven: list[Unproven] = field(default_factory=list)
    repaired: list[str] = field(default_factory=list)
    """What `--repair` rebuilt."""
    problem_count: int = 0
    """All problems found, listed or not."""

    @property
    def is_ok(self) -> bool:
        """Whether nothing is wrong with what was checked."""
        return self.problem_count == 0

    @property
    def head(self) -> str | None:
        """The head of the main stream's ledger; None before its first batch."""
        return self.heads[0] if self.heads else None

    def as_json(self) -> dict[str, Any]:
        """Return the public form."""
        return {
            "ok": self.is_ok,
            "checked": self.checked,
            "head": self.head,
            "heads": list(self.heads),
            "unproven": [item.as_json() for item in self.unproven],
            "problems": [problem.as_json() for problem in ordered(self.problems)],
            "problem_count": self.problem_count,
            "repaired": list(self.repaired),
        }


MAX_LISTED_PER_KIND = 1_000
"""Problems of one kind that are listed one by one: a lost partition must not fill memory."""


class Findings:
    """Collects what is found; counts everything, keeps a bounded number of each kind."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.unproven: list[Unproven] = []
        self._counts: dict[ProblemKind, int] = {}

    @property
    def problem_count(self) -> int:
        """All problems reported so far."""
        return sum(self._counts.values())

    def has_room(self, kind: ProblemKind) -> bool:
        """Return whether another problem of this kind would be listed, not only counted."""
        return self._counts.get(kind, 0) < MAX_LISTED_PER_KIND

    def report(self, problem: Problem) -> None:
        """Take a problem."""
        count = self._counts.get(problem.kind, 0) + 1
        self._counts[problem.kind] = count
        if count <= MAX_LISTED_PER_KIND:
            self.problems.append(problem)

    def report_all(self, problems: Sequence[Problem]) -> None:
        """Take several problems."""
        for problem in problems:
            self.report(problem)

    def doubt(self, unproven: Unproven) -> None:
        """Take something that cannot be proven."""
        self.unproven.append(unproven)


_CAUSES_FIRST = tuple(ProblemKind)


def ordered(problems: Sequence[Problem]) -> list[Problem]:
    """Return problems by stream and sequence, causes before what follows from them."""
    return sorted(
        problems,
        key=lambda problem: (problem.stream, problem.sequence, _CAUSES_FIRST.index(problem.kind)),
    )
