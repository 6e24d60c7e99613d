"""Payloads: what an event can say, one function per kind.

Pure. They refuse what a field cannot hold and name the field; whether a whole event may be
published is `nervous_system.events.check`'s business.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from nervous_system.errors import InvalidEventError
from nervous_system.schemas import (
    AgentDecision,
    StateChange,
    SystemSignal,
    Tombstone,
    WorkspaceCreated,
)

Payload = AgentDecision | StateChange | SystemSignal | Tombstone | WorkspaceCreated
"""Any message that an event's oneof holds."""
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
