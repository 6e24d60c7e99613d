"""What a language model answers, and how that becomes plans, changes and reviews.

The shapes are checked by pydantic, the meaning here: what does not fit the request raises
AnswerProblemError with a sentence that goes back to the model.
"""

from typing import Literal

from pydantic import BaseModel, Field

from cortex.models.offline_plan import link_shared_files
from cortex.models.port import (
    ChangeRequest,
    ChangeSet,
    FileEdit,
    LeftOut,
    Plan,
    PlannedTask,
    PlanRequest,
    Review,
)

MAX_TASKS = 50
Confidence = Field(ge=0, le=1, description="How sure you are, from 0 to 1")


class AnswerProblemError(ValueError):
    """An answer does not fit its request; the message tells the model what to mend."""


class TaskAnswer(BaseModel):
    """One piece of work that a coder can do on its own."""

    key: str = Field(min_length=1, max_length=80, description="Unique within the plan")
    title: str = Field(min_length=1, max_length=200)
    why: str = Field(description="The reason, from what you were shown")
    paths: list[str] = Field(min_length=1, description="Files that may be changed or created")
    rules: list[str] = Field(default=[], description="Linter rules that it is about, if any")
    depends_on: list[str] = Field(default=[], description="Keys of the tasks that come first")
    priority: Literal[0, 1, 2] = Field(default=1, description="0 high, 1 usual, 2 low")


class LeftOutAnswer(BaseModel):
    """A part of the task that the plan does not do."""

    title: str
    reason: str


class PlanAnswer(BaseModel):
    """The tasks of a run; none if nothing is to be done."""

    tasks: list[TaskAnswer] = Field(max_length=MAX_TASKS)
    rationale: str = Field(min_length=1)
    rejected_alternatives: list[str] = Field(default=[], description="Each with its reason")
    left_out: list[LeftOutAnswer] = []
    confidence: float = Confidence


class Replacement(BaseModel):
    """One exact replacement in a file."""

    old: str = Field(min_length=1, description="Text that occurs exactly once in the file")
    new: str


class EditAnswer(BaseModel):
    """What shall become of a file."""

    path: str
    action: Literal["write", "replace", "delete"]
    content: str | None = Field(default=None, description="For write: the whole new content")
    replacements: list[Replacement] = Field(default=[], description="For replace, in order")


class ChangeAnswer(BaseModel):
    """The edits for one task."""

    edits: list[EditAnswer]
    rationale: str = Field(min_length=1)
    rejected_alternatives: list[str] = Field(default=[], description="Each with its reason")
    unresolved: list[str] = Field(default=[], description="What is asked and not done, and why")
    confidence: float = Confidence


class ReviewAnswer(BaseModel):
    """Whether a change may be committed."""

    accepted: bool
    reasons: list[str] = Field(default=[], description="What has to change; empty if accepted")
    rationale: str = Field(min_length=1)
    rejected_alternatives: list[str] = []
    confidence: float = Confidence


def to_plan(answer: PlanAnswer, request: PlanRequest) -> Plan:
    """The plan that was answered.

    Raises:
        AnswerProblemError: it cannot be worked on.
    """
    del request
    tasks = [_task(one) for one in _ordered(answer.tasks)]
    return Plan(
        tasks=link_shared_files(tasks),
        rationale=answer.rationale,
        rejected_alternatives=tuple(answer.rejected_alternatives),
        left_out=tuple(LeftOut(title=one.title, reason=one.reason) for one in answer.left_out),
        confidence=answer.confidence,
    )


def _task(answer: TaskAnswer) -> PlannedTask:
    return PlannedTask(
        key=answer.key,
        title=answer.title,
        why=answer.why,
        paths=tuple(dict.fromkeys(_path(one) for one in answer.paths)),
        rules=tuple(answer.rules),
        depends_on=tuple(dict.fromkeys(answer.depends_on)),
        priority=answer.priority,
    )


def _path(path: str) -> str:
    parts = path.removeprefix("./").split("/")
    if path.startswith("/") or "\\" in path or "\0" in path:
        raise AnswerProblemError(f"{path!r} is no path relative to the repository")
    if any(part in ("", "..", ".") for part in parts) or parts[0] == ".git":
        raise AnswerProblemError(f"{path!r} leads out of the repository's files")
    return "/".join(parts)


def _ordered(tasks: list[TaskAnswer]) -> list[TaskAnswer]:
    """The tasks in an order in which every one comes after those that it depends on."""
    waiting = {one.key: one for one in tasks}
    if len(waiting) < len(tasks):
        raise AnswerProblemError("two tasks have the same key")
    for one in tasks:
        unknown = set(one.depends_on) - waiting.keys()
        if unknown:
            raise AnswerProblemError(f"{one.key!r} depends on {min(unknown)!r}, which is no key")
    ordered: list[TaskAnswer] = []
    while waiting:
        ready = [one for one in waiting.values() if not waiting.keys() & set(one.depends_on)]
        if not ready:
            raise AnswerProblemError(f"these tasks wait for each other: {', '.join(waiting)}")
        ordered += ready
        waiting = {key: one for key, one in waiting.items() if one not in ready}
    return ordered


def to_change_set(answer: ChangeAnswer, request: ChangeRequest) -> ChangeSet:
    """The edits that were answered.

    Raises:
        AnswerProblemError: they do not fit the files as they are.
    """
    paths = [_path(one.path) for one in answer.edits]
    for path in paths:
        if path not in request.planned.paths:
            allowed = ", ".join(request.planned.paths)
            raise AnswerProblemError(f"{path!r} may not be changed, only: {allowed}")
    if len(set(paths)) < len(paths):
        raise AnswerProblemError("a file occurs in two edits: put them into one")
    edits = [_edit(one, request) for one in answer.edits]
    return ChangeSet(
        edits=tuple(one for one in edits if one.new_content != request.contents.get(one.path)),
        rationale=answer.rationale,
        rejected_alternatives=tuple(answer.rejected_alternatives),
        unresolved=tuple(answer.unresolved),
        confidence=answer.confidence,
    )


def _edit(answer: EditAnswer, request: ChangeRequest) -> FileEdit:
    path = _path(answer.path)
    before = request.contents.get(path)
    if answer.action == "delete":
        if before is None:
            raise AnswerProblemError(f"{path!r} is not there: it cannot be deleted")
        return FileEdit(path=path, new_content=None)
    if before is None:
        if answer.action == "replace" or answer.content is None:
            raise AnswerProblemError(f"{path!r} is not there: `write` its whole content")
        return FileEdit(path=path, new_content=answer.content.encode())
    old = shown_text(before)
    if old is None:
        raise AnswerProblemError(f"{path!r} is not UTF-8 text: leave it as it is")
    new = answer.content if answer.action == "write" else _replaced(path, old, answer.replacements)
    if new is None:
        raise AnswerProblemError(f"`write` of {path!r} has no content")
    return FileEdit(path=path, new_content=_as_it_was_written(new, before))


def _replaced(path: str, text: str, replacements: list[Replacement]) -> str:
    if not replacements:
        raise AnswerProblemError(f"`replace` in {path!r} has no replacements")
    for place, one in enumerate(replacements, 1):
        count = text.count(one.old)
        if count != 1:
            raise AnswerProblemError(
                f"`old` of replacement {place} in {path!r} occurs {count} times, not once"
            )
        text = text.replace(one.old, one.new)
    return text


def shown_text(content: bytes) -> str | None:
    """A file as a model sees it: text with plain line ends; None: it is no UTF-8 text."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text.replace("\r\n", "\n")


def _as_it_was_written(text: str, before: bytes) -> bytes:
    """With the line ends and the byte order mark that the file has."""
    plain = text.replace("\r\n", "\n")
    windows = before.count(b"\r\n")
    if windows * 2 > before.count(b"\n"):
        plain = plain.replace("\n", "\r\n")
    mark = b"\xef\xbb\xbf" if before.startswith(b"\xef\xbb\xbf") else b""
    return mark + plain.encode()


def to_review(answer: ReviewAnswer) -> Review:
    """The review that was answered.

    Raises:
        AnswerProblemError: it refuses without a reason.
    """
    if not answer.accepted and not answer.reasons:
        raise AnswerProblemError("a refusal needs reasons that the coder can act on")
    return Review(
        accepted=answer.accepted,
        reasons=() if answer.accepted else tuple(answer.reasons),
        rationale=answer.rationale,
        rejected_alternatives=tuple(answer.rejected_alternatives),
        confidence=answer.confidence,
    )
