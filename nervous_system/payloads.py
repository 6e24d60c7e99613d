"""Payloads: what an event can say, one function per kind.

Pure. They refuse what a field cannot hold and name the field; whether a whole event may be
published is `nervous_system.events.check`'s business.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Literal, TypeVar, get_args

from nervous_system.errors import InvalidEventError
from nervous_system.schemas import (
    AgentDecision,
    AgentMessage,
    ArtifactStored,
    MailboxRead,
    MemoryChange,
    ModelCall,
    RunTransition,
    SessionLine,
    SessionMark,
    StateChange,
    StepTransition,
    SystemSignal,
    TaskTransition,
    Tombstone,
    ToolCall,
    WorkspaceCreated,
)

Payload = (
    AgentDecision
    | StateChange
    | SystemSignal
    | Tombstone
    | WorkspaceCreated
    | ToolCall
    | TaskTransition
    | RunTransition
    | ModelCall
    | StepTransition
    | AgentMessage
    | MailboxRead
    | MemoryChange
    | ArtifactStored
    | SessionLine
    | SessionMark
)
"""Any message that an event's oneof holds."""
Document = Mapping[str, Any] | str
"""What becomes a JSON object, or its text as it is."""
ToolOutcome = Literal["ok", "refused", "failed", "timed_out"]
TOOL_OUTCOMES: Final[tuple[ToolOutcome, ...]] = get_args(ToolOutcome)
MemoryFormat = Literal["json", "text", "deleted"]
MEMORY_FORMATS: Final[tuple[MemoryFormat, ...]] = get_args(MemoryFormat)
LineSource = Literal["transcript", "hook", "import"]
LINE_SOURCES: Final[tuple[LineSource, ...]] = get_args(LineSource)
BROADCAST: Final = "_broadcast"
"""The recipient that stands for every agent of a project."""
MAX_TOOL_RESULT_BYTES: Final = 16 * 1024
_MAX_CUT_BACK = 256
_Message = TypeVar("_Message")


def decision(
    *,
    rationale: str = "",
    context_hash: str = "",
    input_trigger: str = "",
    rejected_alternatives: Iterable[str] = (),
    memory_ids: Iterable[str] = (),
    confidence: float = 0.0,
) -> AgentDecision:
    """Build the payload of a decision; `confidence` is from 0 to 1.

    Raises:
        InvalidEventError: a value does not fit its field.
    """
    fields: dict[str, Any] = {"rationale": rationale}
    # Most decisions give few of these, and protobuf takes its time for each one that is given.
    if context_hash != "":
        fields["context_hash"] = context_hash
    if input_trigger != "":
        fields["input_trigger"] = input_trigger
    if rejected_alternatives != ():
        fields["rejected_alternatives"] = _texts("rejected_alternatives", rejected_alternatives)
    if memory_ids != ():
        fields["memory_ids"] = _texts("memory_ids", memory_ids)
    if confidence != 0.0:
        fields["confidence_score"] = confidence
    return build_message(AgentDecision, **fields)


def state_change(
    *,
    target_type: str,
    target_resource: str,
    previous_state_hash: str = "",
    new_state_hash: str = "",
    diff_patch: str = "",
    is_reversible: bool = False,
    mode: int = 0,
    size_bytes: int = 0,
    renamed_from: str = "",
    resource_bytes: bytes = b"",
) -> StateChange:
    """Build the payload of a state change; hashes are hex SHA-256, empty for absent."""
    return build_message(
        StateChange,
        target_type=target_type,
        target_resource=target_resource,
        previous_state_hash=previous_state_hash,
        new_state_hash=new_state_hash,
        diff_patch=diff_patch,
        is_reversible=is_reversible,
        mode=mode,
        size_bytes=size_bytes,
        renamed_from=renamed_from,
        resource_bytes=resource_bytes,
    )


def system_signal(
    status: str,
    *,
    cpu_load_percent: int = 0,
    memory_usage_mb: int = 0,
    final_count: int = 0,
    detail: str = "",
) -> SystemSignal:
    """Build the payload of a signal; `final_count` goes with STOPPED only."""
    return build_message(
        SystemSignal,
        status=status,
        cpu_load_percent=cpu_load_percent,
        memory_usage_mb=memory_usage_mb,
        final_count=final_count,
        detail=detail,
    )


def tombstone(
    reason: str, *, refused_kind: str, refused_size_bytes: int, refused_digest: str
) -> Tombstone:
    """Build the payload that stands for a numbered event which could not be sent."""
    return build_message(
        Tombstone,
        tombstone_reason=reason,
        refused_kind=refused_kind,
        refused_size_bytes=refused_size_bytes,
        refused_digest=refused_digest,
    )


def workspace_created(
    workspace_id: str,
    *,
    parent_workspace_id: str = "",
    parent_event_id: str = "",
    base_commit: str = "",
    manifest_digest: str = "",
) -> WorkspaceCreated:
    """Build the payload that says what a workspace started from."""
    return build_message(
        WorkspaceCreated,
        created_workspace_id=workspace_id,
        parent_workspace_id=parent_workspace_id,
        parent_event_id=parent_event_id,
        base_commit=base_commit,
        manifest_digest=manifest_digest,
    )


def tool_call(
    name: str,
    *,
    call_id: str = "",
    arguments: Document = "",
    result: str = "",
    outcome: ToolOutcome = "ok",
    duration_us: int = 0,
) -> ToolCall:
    """Build the payload of a tool call; a result beyond 16 KiB is cut, which its end says.

    Raises:
        InvalidEventError: a value does not fit its field, or there is no such outcome.
    """
    _one_of("tool_outcome", outcome, TOOL_OUTCOMES)
    return build_message(
        ToolCall,
        tool_name=name,
        tool_call_id=call_id,
        tool_arguments=_json("tool_arguments", arguments),
        tool_result=_cut(result) if isinstance(result, str) else result,
        tool_outcome=outcome,
        tool_duration_us=duration_us,
    )


def task_transition(
    task_id: str,
    *,
    state: str,
    trigger: str,
    worker: str = "",
    attempt: int = 0,
    fence: int = 0,
    document: Document = "",
    reason: str = "",
) -> TaskTransition:
    """Build the payload of a task that got another state; the envelope's run id names its run.

    Args:
        task_id: the task, within its run.
        state: the state after.
        trigger: what brought it there.
        worker: who works on it; empty: nobody.
        attempt: from 1; 0 before the first.
        fence: sequence of the claim that this follows from.
        document: the task when it is created, its result when it ends.
        reason: what more there is to say.

    Raises:
        InvalidEventError: a value does not fit its field.
    """
    return build_message(
        TaskTransition,
        task_id=task_id,
        task_state=state,
        task_trigger=trigger,
        task_worker=worker,
        task_attempt=attempt,
        task_fence=fence,
        task_document=_json("task_document", document),
        task_reason=reason,
    )


def run_transition(*, state: str, document: Document = "", reason: str = "") -> RunTransition:
    """Build the payload of a run that got another state; the envelope's run id names it.

    Args:
        state: the state after.
        document: what the run is about when it is created (`task`, `model`, `branch` are shown by
            `swarm.runs`), its outcome when it ends.
        reason: what more there is to say.

    Raises:
        InvalidEventError: a value does not fit its field.
    """
    return build_message(
        RunTransition,
        run_state=state,
        run_document=_json("run_document", document),
        run_reason=reason,
    )


def model_call(
    name: str,
    *,
    input_tokens: int = 0,
    output_tokens: int = 0,
    cost_microusd: int = 0,
    duration_us: int = 0,
    outcome: str = "ok",
) -> ModelCall:
    """Build the payload of a call to a model; `cost_microusd` in millionths of a US dollar.

    Raises:
        InvalidEventError: a value does not fit its field.
    """
    return build_message(
        ModelCall,
        model_name=name,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cost_microusd=cost_microusd,
        model_duration_us=duration_us,
        model_outcome=outcome,
    )


def step_transition(
    step_id: str,
    *,
    state: str,
    trigger: str,
    holder: str = "",
    fence: int = 0,
    expires_at_ms: int = 0,
    document: Document = "",
) -> StepTransition:
    """Build the payload of a shared step that got another state, or its holder more time.

    Args:
        step_id: the step, within its project, which the subject names.
        state: the state after.
        trigger: what brought it there.
        holder: who holds it in progress.
        fence: sequence of the claim that this follows from; 0 in a claim itself.
        expires_at_ms: when the lease runs out, in milliseconds since 1970.
        document: what a claim runs, or the handoff record of an end.

    Raises:
        InvalidEventError: a value does not fit its field.
    """
    return build_message(
        StepTransition,
        step_id=step_id,
        step_state=state,
        step_trigger=trigger,
        step_holder=holder,
        step_fence=fence,
        step_expires_at_ms=expires_at_ms,
        step_document=_json("step_document", document),
    )


def message(recipient: str, text: str, *, step: str = "") -> AgentMessage:
    """Build the payload of a message to an agent, or to `BROADCAST`.

    Raises:
        InvalidEventError: a value does not fit its field.
    """
    return build_message(
        AgentMessage, message_recipient=recipient, message_text=text, message_step=step
    )


def mailbox_read(
    *, read_through: int, removed_through: int = 0, removed: Iterable[str] = ()
) -> MailboxRead:
    """Build the payload that says what an agent has read; it replaces the one before.

    Args:
        read_through: sequence up to which it has been shown everything.
        removed_through: sequence up to which it has removed everything.
        removed: event ids of what it has removed behind that.

    Raises:
        InvalidEventError: a value does not fit its field.
    """
    return build_message(
        MailboxRead,
        read_through=read_through,
        removed_through=removed_through,
        read_ids=_texts("read_ids", removed),
    )


def memory_change(key: str, value: str, *, format: MemoryFormat = "text") -> MemoryChange:  # noqa: A002 # its name
    """Build the payload of a shared value; `value` is text, or the text of a JSON value.

    Raises:
        InvalidEventError: a value does not fit its field, or there is no such format.
    """
    _one_of("memory_format", format, MEMORY_FORMATS)
    return build_message(MemoryChange, memory_key=key, memory_value=value, memory_format=format)


def artifact_stored(
    name: str, *, digest: str, size_bytes: int, version: int, step: str = ""
) -> ArtifactStored:
    """Build the payload of a stored result; `digest` is the hex SHA-256 of its content.

    Raises:
        InvalidEventError: a value does not fit its field.
    """
    return build_message(
        ArtifactStored,
        artifact_name=name,
        artifact_digest=digest,
        artifact_size_bytes=size_bytes,
        artifact_version=version,
        artifact_step=step,
    )


def session_line(
    line: bytes,
    *,
    source: LineSource,
    number: int,
    offset: int = 0,
    digest: str = "",
    type: str = "",  # noqa: A002 # its name
) -> SessionLine:
    """Build the payload of a line that a foreign agent left.

    Args:
        line: without its end, secrets taken out.
        source: where it was seen.
        number: which line of its source it is, from 1.
        offset: where in its source it begins, in bytes.
        digest: of the line before anything was taken out.
        type: the record's own name for what it is.

    Raises:
        InvalidEventError: a value does not fit its field, or there is no such source.
    """
    _one_of("line_source", source, LINE_SOURCES)
    return build_message(
        SessionLine,
        line_source=source,
        line_number=number,
        line_offset=offset,
        line_bytes=line,
        line_digest=digest,
        line_type=type,
    )


def session_mark(type: str, *, text: str = "", document: Document = "") -> SessionMark:  # noqa: A002 # its name
    """Build the payload of something that is to be noted of a foreign agent's session.

    Raises:
        InvalidEventError: a value does not fit its field.
    """
    return build_message(
        SessionMark,
        mark_type=type,
        mark_text=text,
        mark_document=_json("mark_document", document),
    )


def _one_of(field: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise InvalidEventError(field=field, reason=f"{value!r} is none of {', '.join(known)}")


def _json(field: str, document: Document) -> str:
    if isinstance(document, str):
        return document
    try:
        return json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidEventError(field=field, reason=f"cannot be JSON: {error}") from error


def _cut(text: str) -> str:
    """Return a tool's result as far as it is kept, with a last line that says what is missing."""
    encoded = text.encode("utf-8", "backslashreplace")
    if len(encoded) <= MAX_TOOL_RESULT_BYTES:
        return text
    room = MAX_TOOL_RESULT_BYTES - len(f"\n[{len(encoded)} more bytes]")
    kept = _whole_words(encoded[:room].decode("utf-8", "ignore"))
    return f"{kept}\n[{len(encoded) - len(kept.encode())} more bytes]"


def _whole_words(text: str) -> str:
    """Leave out what the cut has left of the last word: half a secret is not known for one."""
    end = len(text)
    while end > len(text) - _MAX_CUT_BACK and not text[end - 1].isspace():
        end -= 1
    return text[:end] if text[end - 1].isspace() else text


def _texts(field: str, values: Iterable[str]) -> list[str] | tuple[str, ...]:
    """Return `values` as something that can be gone through twice."""
    if isinstance(values, list | tuple):
        return values
    if isinstance(values, str):  # would be taken for a list of its letters
        raise InvalidEventError(field=field, reason="a list of texts is expected, not a text")
    try:
        return list(values)
    except TypeError as error:
        raise InvalidEventError(field=field, reason=str(error)) from error


def build_message(message: Callable[..., _Message], **fields: Any) -> _Message:
    """Build a message; half characters, as models and file names have them, become escapes.

    Raises:
        InvalidEventError: names the field that a value does not fit.
    """
    try:
        return message(**fields)
    except UnicodeEncodeError:
        fields = {name: _encodable(value) for name, value in fields.items()}
    except (TypeError, ValueError):
        pass  # told below, with the field's name
    try:
        return message(**fields)
    except (TypeError, ValueError) as error:
        field, reason = _blame(message, fields, error)
        raise InvalidEventError(field=field, reason=reason) from error


def _encodable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, Mapping):
        return {_encodable(name): _encodable(member) for name, member in value.items()}
    if isinstance(value, list | tuple | set):
        return [_encodable(member) for member in value]
    return value


def _blame(
    message: Callable[..., Any], fields: Mapping[str, Any], error: Exception
) -> tuple[str, str]:
    """Set the fields one by one until one fails alone."""
    for name, value in fields.items():
        try:
            message(**{name: value})
        except (TypeError, ValueError) as alone:
            return name, str(alone)
    return "event", str(error)
