"""What a model is asked, and what it answers.

Requests carry everything that a model may see; answers are proposals, which agents carry out
through tools. Paths are relative to the repository, with `/` between their parts. Records are
plain values: no model library is imported here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

DEFAULT_PRIORITY = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One diagnostic of the linter."""

    path: str
    """File that it is in."""
    rule: str
    """Code of the rule, as `F401`; `invalid-syntax` for a file that does not parse."""
    name: str = ""
    """The rule's readable name, as `unused-import`."""
    message: str = ""
    """What the linter says."""
    row: int
    """Line, from 1."""
    column: int
    """Character in the line, from 1."""
    end_row: int = 0
    """Line that it ends in; 0: not told."""
    end_column: int = 0
    """Character after its last, in that line."""
    has_safe_fix: bool = False
    """The linter can fix it and calls the fix safe."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEntry:
    """One file of the repository's listing."""

    path: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Something that an earlier run left, retrieved for this request."""

    memory_id: str
    """Named in the `memory_ids` of the decision that it leads to."""
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """What a check said before and after a change."""

    name: str
    """`compileall`, `tests`, or the name of a command from the run's configuration."""
    passed_before: bool | None = None
    """None: it was not run before the change."""
    passed_after: bool | None = None
    """None: it was not run after the change."""
    failures_before: frozenset[str] = frozenset()
    """Names of the single tests or files that failed, as far as they are known."""
    failures_after: frozenset[str] = frozenset()
    """Names of the single tests or files that fail now."""
    output: str = ""
    """The end of what it printed after the change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedTask:
    """One piece of work that a coder can do on its own."""

    key: str
    """Unique within the plan."""
    title: str
    why: str
    """The reason, from what the model was shown."""
    paths: tuple[str, ...]
    """The files that may be changed."""
    rules: tuple[str, ...] = ()
    """The linter's rules that it is about; empty: not about findings."""
    depends_on: tuple[str, ...] = ()
    """Keys of the tasks that come first."""
    priority: int = DEFAULT_PRIORITY
    """0 high, 1 usual, 2 low."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A part of the task that the plan does not do."""

    title: str
    reason: str
    paths: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The tasks of a run; no tasks means that nothing is to be done."""

    tasks: tuple[PlannedTask, ...]
    rationale: str
    rejected_alternatives: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    confidence: float
    """From 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEdit:
    """What a file shall be."""

    path: str
    new_content: bytes | None
    """All of its content; None deletes it."""
    mode: int | None = None
    """Permission bits; None leaves them as they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSet:
    """The edits for one planned task; none means that nothing could or had to be changed."""

    edits: tuple[FileEdit, ...]
    rationale: str
    rejected_alternatives: tuple[str, ...] = ()
    unresolved: tuple[str, ...] = ()
    """What the task asked for and the edits do not do, each with its reason."""
    confidence: float
    """From 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """Whether a change may be committed."""

    accepted: bool
    reasons: tuple[str, ...]
    """What speaks against it, for the next attempt; empty when accepted."""
    rationale: str
    rejected_alternatives: tuple[str, ...] = ()
    confidence: float
    """From 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRequest:
    """Everything the architect's model may see."""

    task: str
    """The user's words."""
    files: tuple[FileEntry, ...]
    """The repository's listing."""
    findings: tuple[Finding, ...] = ()
    """Of the whole repository, with the rules that `Model.rules_for` asked for."""
    contents: Mapping[str, bytes] = field(default_factory=dict)
    """Files that help to plan, as the README."""
    memories: tuple[Memory, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRequest:
    """Everything a coder's model may see."""

    task: str
    """The user's words."""
    planned: PlannedTask
    contents: Mapping[str, bytes]
    """The files of `planned.paths` that exist, as they are now."""
    context: Mapping[str, bytes] = field(default_factory=dict)
    """Further files that it may read and must not change; the more, the safer its judgement."""
    findings: tuple[Finding, ...] = ()
    """In the files of `contents`."""
    root: Path
    """The work tree, where the linter looks for its configuration."""
    memories: tuple[Memory, ...] = ()
    refusals: tuple[str, ...] = ()
    """Why earlier attempts were sent back, oldest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewRequest:
    """Everything a reviewer's model may see."""

    task: str
    """The user's words."""
    planned: PlannedTask
    diff: str
    """Unified diff of the change."""
    changed_paths: tuple[str, ...]
    findings_before: tuple[Finding, ...] = ()
    """In the changed files, by the linter and rules that planned the task."""
    findings_after: tuple[Finding, ...] = ()
    """By the same linter and rules, after the change."""
    checks: tuple[CheckResult, ...] = ()
    rationale: str = ""
    """The coder's."""
    unresolved: tuple[str, ...] = ()
    """The coder's."""
    memories: tuple[Memory, ...] = ()


class Model(Protocol):
    """Plans, changes and reviews.

    Every call either answers or raises: TaskRefusedError for a task that this model cannot or must
    not do, ModelUnavailableError (retryable), ModelAnswerError, BudgetExceededError. Calls may run
    concurrently.
    """

    @property
    def name(self) -> str:
        """As the user chose it: `offline`, `openai:gpt-5`."""
        ...

    @property
    def description(self) -> str:
        """One line on who works, where, and under which budget; it holds no secret."""
        ...

    def rules_for(self, task: str) -> tuple[str, ...]:
        """Rules that findings for this task must cover beside the repository's configuration.

        Raises:
            TaskRefusedError: this model does not do such tasks; known from the text alone.
        """
        ...

    async def plan(self, request: PlanRequest) -> Plan:
        """Part a user's task into tasks for coders."""
        ...

    async def change(self, request: ChangeRequest) -> ChangeSet:
        """Propose the edits for one planned task."""
        ...

    async def review(self, request: ReviewRequest) -> Review:
        """Judge a change that was carried out in a work tree."""
        ...
