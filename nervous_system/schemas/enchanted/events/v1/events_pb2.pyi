import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AgentRole(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ROLE_UNSPECIFIED: _ClassVar[AgentRole]
    ROLE_ARCHITECT: _ClassVar[AgentRole]
    ROLE_CODER: _ClassVar[AgentRole]
    ROLE_REVIEWER: _ClassVar[AgentRole]
    ROLE_OPERATOR: _ClassVar[AgentRole]

class EventType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TYPE_UNSPECIFIED: _ClassVar[EventType]
    TYPE_DECISION: _ClassVar[EventType]
    TYPE_STATE_CHANGE: _ClassVar[EventType]
    TYPE_SYSTEM: _ClassVar[EventType]
ROLE_UNSPECIFIED: AgentRole
ROLE_ARCHITECT: AgentRole
ROLE_CODER: AgentRole
ROLE_REVIEWER: AgentRole
ROLE_OPERATOR: AgentRole
TYPE_UNSPECIFIED: EventType
TYPE_DECISION: EventType
TYPE_STATE_CHANGE: EventType
TYPE_SYSTEM: EventType

class SwarmEvent(_message.Message):
    __slots__ = ("event_id", "timestamp", "trace_id", "span_id", "agent_role", "agent_id", "decision", "state_change", "system_signal", "tombstone", "workspace_created", "tool_call", "task_transition", "run_transition", "model_call", "step_transition", "message", "mailbox_read", "memory_change", "artifact_stored", "session_line", "session_mark", "run_id", "emitter_id", "emitter_seq", "previous_digest", "caused_by", "attributes", "workspace_id", "redactions", "original_digest")
    class AttributesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class RedactionsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    TRACE_ID_FIELD_NUMBER: _ClassVar[int]
    SPAN_ID_FIELD_NUMBER: _ClassVar[int]
    AGENT_ROLE_FIELD_NUMBER: _ClassVar[int]
    AGENT_ID_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    STATE_CHANGE_FIELD_NUMBER: _ClassVar[int]
    SYSTEM_SIGNAL_FIELD_NUMBER: _ClassVar[int]
    TOMBSTONE_FIELD_NUMBER: _ClassVar[int]
    WORKSPACE_CREATED_FIELD_NUMBER: _ClassVar[int]
    TOOL_CALL_FIELD_NUMBER: _ClassVar[int]
    TASK_TRANSITION_FIELD_NUMBER: _ClassVar[int]
    RUN_TRANSITION_FIELD_NUMBER: _ClassVar[int]
    MODEL_CALL_FIELD_NUMBER: _ClassVar[int]
    STEP_TRANSITION_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    MAILBOX_READ_FIELD_NUMBER: _ClassVar[int]
    MEMORY_CHANGE_FIELD_NUMBER: _ClassVar[int]
    ARTIFACT_STORED_FIELD_NUMBER: _ClassVar[int]
    SESSION_LINE_FIELD_NUMBER: _ClassVar[int]
    SESSION_MARK_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    EMITTER_ID_FIELD_NUMBER: _ClassVar[int]
    EMITTER_SEQ_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_DIGEST_FIELD_NUMBER: _ClassVar[int]
    CAUSED_BY_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    WORKSPACE_ID_FIELD_NUMBER: _ClassVar[int]
    REDACTIONS_FIELD_NUMBER: _ClassVar[int]
    ORIGINAL_DIGEST_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    timestamp: _timestamp_pb2.Timestamp
    trace_id: str
    span_id: str
    agent_role: AgentRole
    agent_id: str
    decision: AgentDecision
    state_change: StateChange
    system_signal: SystemSignal
    tombstone: Tombstone
    workspace_created: WorkspaceCreated
    tool_call: ToolCall
    task_transition: TaskTransition
    run_transition: RunTransition
    model_call: ModelCall
    step_transition: StepTransition
    message: AgentMessage
    mailbox_read: MailboxRead
    memory_change: MemoryChange
    artifact_stored: ArtifactStored
    session_line: SessionLine
    session_mark: SessionMark
    run_id: str
    emitter_id: str
    emitter_seq: int
    previous_digest: bytes
    caused_by: _containers.RepeatedScalarFieldContainer[str]
    attributes: _containers.ScalarMap[str, str]
    workspace_id: str
    redactions: _containers.ScalarMap[str, int]
    original_digest: bytes
    def __init__(self, event_id: _Optional[str] = ..., timestamp: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., trace_id: _Optional[str] = ..., span_id: _Optional[str] = ..., agent_role: _Optional[_Union[AgentRole, str]] = ..., agent_id: _Optional[str] = ..., decision: _Optional[_Union[AgentDecision, _Mapping]] = ..., state_change: _Optional[_Union[StateChange, _Mapping]] = ..., system_signal: _Optional[_Union[SystemSignal, _Mapping]] = ..., tombstone: _Optional[_Union[Tombstone, _Mapping]] = ..., workspace_created: _Optional[_Union[WorkspaceCreated, _Mapping]] = ..., tool_call: _Optional[_Union[ToolCall, _Mapping]] = ..., task_transition: _Optional[_Union[TaskTransition, _Mapping]] = ..., run_transition: _Optional[_Union[RunTransition, _Mapping]] = ..., model_call: _Optional[_Union[ModelCall, _Mapping]] = ..., step_transition: _Optional[_Union[StepTransition, _Mapping]] = ..., message: _Optional[_Union[AgentMessage, _Mapping]] = ..., mailbox_read: _Optional[_Union[MailboxRead, _Mapping]] = ..., memory_change: _Optional[_Union[MemoryChange, _Mapping]] = ..., artifact_stored: _Optional[_Union[ArtifactStored, _Mapping]] = ..., session_line: _Optional[_Union[SessionLine, _Mapping]] = ..., session_mark: _Optional[_Union[SessionMark, _Mapping]] = ..., run_id: _Optional[str] = ..., emitter_id: _Optional[str] = ..., emitter_seq: _Optional[int] = ..., previous_digest: _Optional[bytes] = ..., caused_by: _Optional[_Iterable[str]] = ..., attributes: _Optional[_Mapping[str, str]] = ..., workspace_id: _Optional[str] = ..., redactions: _Optional[_Mapping[str, int]] = ..., original_digest: _Optional[bytes] = ...) -> None: ...

class AgentDecision(_message.Message):
    __slots__ = ("context_hash", "input_trigger", "rationale", "rejected_alternatives", "memory_ids", "confidence_score")
    CONTEXT_HASH_FIELD_NUMBER: _ClassVar[int]
    INPUT_TRIGGER_FIELD_NUMBER: _ClassVar[int]
    RATIONALE_FIELD_NUMBER: _ClassVar[int]
    REJECTED_ALTERNATIVES_FIELD_NUMBER: _ClassVar[int]
    MEMORY_IDS_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_SCORE_FIELD_NUMBER: _ClassVar[int]
    context_hash: str
    input_trigger: str
    rationale: str
    rejected_alternatives: _containers.RepeatedScalarFieldContainer[str]
    memory_ids: _containers.RepeatedScalarFieldContainer[str]
    confidence_score: float
    def __init__(self, context_hash: _Optional[str] = ..., input_trigger: _Optional[str] = ..., rationale: _Optional[str] = ..., rejected_alternatives: _Optional[_Iterable[str]] = ..., memory_ids: _Optional[_Iterable[str]] = ..., confidence_score: _Optional[float] = ...) -> None: ...

class StateChange(_message.Message):
    __slots__ = ("target_type", "target_resource", "previous_state_hash", "new_state_hash", "diff_patch", "is_reversible", "mode", "size_bytes", "renamed_from", "resource_bytes")
    TARGET_TYPE_FIELD_NUMBER: _ClassVar[int]
    TARGET_RESOURCE_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_STATE_HASH_FIELD_NUMBER: _ClassVar[int]
    NEW_STATE_HASH_FIELD_NUMBER: _ClassVar[int]
    DIFF_PATCH_FIELD_NUMBER: _ClassVar[int]
    IS_REVERSIBLE_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    RENAMED_FROM_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_BYTES_FIELD_NUMBER: _ClassVar[int]
    target_type: str
    target_resource: str
    previous_state_hash: str
    new_state_hash: str
    diff_patch: str
    is_reversible: bool
    mode: int
    size_bytes: int
    renamed_from: str
    resource_bytes: bytes
    def __init__(self, target_type: _Optional[str] = ..., target_resource: _Optional[str] = ..., previous_state_hash: _Optional[str] = ..., new_state_hash: _Optional[str] = ..., diff_patch: _Optional[str] = ..., is_reversible: _Optional[bool] = ..., mode: _Optional[int] = ..., size_bytes: _Optional[int] = ..., renamed_from: _Optional[str] = ..., resource_bytes: _Optional[bytes] = ...) -> None: ...

class SystemSignal(_message.Message):
    __slots__ = ("status", "cpu_load_percent", "memory_usage_mb", "final_count", "detail")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    CPU_LOAD_PERCENT_FIELD_NUMBER: _ClassVar[int]
    MEMORY_USAGE_MB_FIELD_NUMBER: _ClassVar[int]
    FINAL_COUNT_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    status: str
    cpu_load_percent: int
    memory_usage_mb: int
    final_count: int
    detail: str
    def __init__(self, status: _Optional[str] = ..., cpu_load_percent: _Optional[int] = ..., memory_usage_mb: _Optional[int] = ..., final_count: _Optional[int] = ..., detail: _Optional[str] = ...) -> None: ...

class Tombstone(_message.Message):
    __slots__ = ("tombstone_reason", "refused_kind", "refused_size_bytes", "refused_digest")
    TOMBSTONE_REASON_FIELD_NUMBER: _ClassVar[int]
    REFUSED_KIND_FIELD_NUMBER: _ClassVar[int]
    REFUSED_SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    REFUSED_DIGEST_FIELD_NUMBER: _ClassVar[int]
    tombstone_reason: str
    refused_kind: str
    refused_size_bytes: int
    refused_digest: str
    def __init__(self, tombstone_reason: _Optional[str] = ..., refused_kind: _Optional[str] = ..., refused_size_bytes: _Optional[int] = ..., refused_digest: _Optional[str] = ...) -> None: ...

class WorkspaceCreated(_message.Message):
    __slots__ = ("created_workspace_id", "parent_workspace_id", "parent_event_id", "base_commit", "manifest_digest")
    CREATED_WORKSPACE_ID_FIELD_NUMBER: _ClassVar[int]
    PARENT_WORKSPACE_ID_FIELD_NUMBER: _ClassVar[int]
    PARENT_EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    BASE_COMMIT_FIELD_NUMBER: _ClassVar[int]
    MANIFEST_DIGEST_FIELD_NUMBER: _ClassVar[int]
    created_workspace_id: str
    parent_workspace_id: str
    parent_event_id: str
    base_commit: str
    manifest_digest: str
    def __init__(self, created_workspace_id: _Optional[str] = ..., parent_workspace_id: _Optional[str] = ..., parent_event_id: _Optional[str] = ..., base_commit: _Optional[str] = ..., manifest_digest: _Optional[str] = ...) -> None: ...

class ToolCall(_message.Message):
    __slots__ = ("tool_name", "tool_call_id", "tool_arguments", "tool_result", "tool_outcome", "tool_duration_us")
    TOOL_NAME_FIELD_NUMBER: _ClassVar[int]
    TOOL_CALL_ID_FIELD_NUMBER: _ClassVar[int]
    TOOL_ARGUMENTS_FIELD_NUMBER: _ClassVar[int]
    TOOL_RESULT_FIELD_NUMBER: _ClassVar[int]
    TOOL_OUTCOME_FIELD_NUMBER: _ClassVar[int]
    TOOL_DURATION_US_FIELD_NUMBER: _ClassVar[int]
    tool_name: str
    tool_call_id: str
    tool_arguments: str
    tool_result: str
    tool_outcome: str
    tool_duration_us: int
    def __init__(self, tool_name: _Optional[str] = ..., tool_call_id: _Optional[str] = ..., tool_arguments: _Optional[str] = ..., tool_result: _Optional[str] = ..., tool_outcome: _Optional[str] = ..., tool_duration_us: _Optional[int] = ...) -> None: ...

class TaskTransition(_message.Message):
    __slots__ = ("task_id", "task_state", "task_trigger", "task_worker", "task_attempt", "task_fence", "task_document", "task_reason")
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_STATE_FIELD_NUMBER: _ClassVar[int]
    TASK_TRIGGER_FIELD_NUMBER: _ClassVar[int]
    TASK_WORKER_FIELD_NUMBER: _ClassVar[int]
    TASK_ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    TASK_FENCE_FIELD_NUMBER: _ClassVar[int]
    TASK_DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    TASK_REASON_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    task_state: str
    task_trigger: str
    task_worker: str
    task_attempt: int
    task_fence: int
    task_document: str
    task_reason: str
    def __init__(self, task_id: _Optional[str] = ..., task_state: _Optional[str] = ..., task_trigger: _Optional[str] = ..., task_worker: _Optional[str] = ..., task_attempt: _Optional[int] = ..., task_fence: _Optional[int] = ..., task_document: _Optional[str] = ..., task_reason: _Optional[str] = ...) -> None: ...

class RunTransition(_message.Message):
    __slots__ = ("run_state", "run_document", "run_reason")
    RUN_STATE_FIELD_NUMBER: _ClassVar[int]
    RUN_DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    RUN_REASON_FIELD_NUMBER: _ClassVar[int]
    run_state: str
    run_document: str
    run_reason: str
    def __init__(self, run_state: _Optional[str] = ..., run_document: _Optional[str] = ..., run_reason: _Optional[str] = ...) -> None: ...

class ModelCall(_message.Message):
    __slots__ = ("model_name", "input_tokens", "output_tokens", "cost_microusd", "model_duration_us", "model_outcome")
    MODEL_NAME_FIELD_NUMBER: _ClassVar[int]
    INPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    COST_MICROUSD_FIELD_NUMBER: _ClassVar[int]
    MODEL_DURATION_US_FIELD_NUMBER: _ClassVar[int]
    MODEL_OUTCOME_FIELD_NUMBER: _ClassVar[int]
    model_name: str
    input_tokens: int
    output_tokens: int
    cost_microusd: int
    model_duration_us: int
    model_outcome: str
    def __init__(self, model_name: _Optional[str] = ..., input_tokens: _Optional[int] = ..., output_tokens: _Optional[int] = ..., cost_microusd: _Optional[int] = ..., model_duration_us: _Optional[int] = ..., model_outcome: _Optional[str] = ...) -> None: ...

class StepTransition(_message.Message):
    __slots__ = ("step_id", "step_state", "step_trigger", "step_holder", "step_fence", "step_expires_at_ms", "step_document")
    STEP_ID_FIELD_NUMBER: _ClassVar[int]
    STEP_STATE_FIELD_NUMBER: _ClassVar[int]
    STEP_TRIGGER_FIELD_NUMBER: _ClassVar[int]
    STEP_HOLDER_FIELD_NUMBER: _ClassVar[int]
    STEP_FENCE_FIELD_NUMBER: _ClassVar[int]
    STEP_EXPIRES_AT_MS_FIELD_NUMBER: _ClassVar[int]
    STEP_DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    step_id: str
    step_state: str
    step_trigger: str
    step_holder: str
    step_fence: int
    step_expires_at_ms: int
    step_document: str
    def __init__(self, step_id: _Optional[str] = ..., step_state: _Optional[str] = ..., step_trigger: _Optional[str] = ..., step_holder: _Optional[str] = ..., step_fence: _Optional[int] = ..., step_expires_at_ms: _Optional[int] = ..., step_document: _Optional[str] = ...) -> None: ...

class AgentMessage(_message.Message):
    __slots__ = ("message_recipient", "message_text", "message_step")
    MESSAGE_RECIPIENT_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_TEXT_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_STEP_FIELD_NUMBER: _ClassVar[int]
    message_recipient: str
    message_text: str
    message_step: str
    def __init__(self, message_recipient: _Optional[str] = ..., message_text: _Optional[str] = ..., message_step: _Optional[str] = ...) -> None: ...

class MailboxRead(_message.Message):
    __slots__ = ("read_through", "read_ids", "removed_through")
    READ_THROUGH_FIELD_NUMBER: _ClassVar[int]
    READ_IDS_FIELD_NUMBER: _ClassVar[int]
    REMOVED_THROUGH_FIELD_NUMBER: _ClassVar[int]
    read_through: int
    read_ids: _containers.RepeatedScalarFieldContainer[str]
    removed_through: int
    def __init__(self, read_through: _Optional[int] = ..., read_ids: _Optional[_Iterable[str]] = ..., removed_through: _Optional[int] = ...) -> None: ...

class MemoryChange(_message.Message):
    __slots__ = ("memory_key", "memory_value", "memory_format")
    MEMORY_KEY_FIELD_NUMBER: _ClassVar[int]
    MEMORY_VALUE_FIELD_NUMBER: _ClassVar[int]
    MEMORY_FORMAT_FIELD_NUMBER: _ClassVar[int]
    memory_key: str
    memory_value: str
    memory_format: str
    def __init__(self, memory_key: _Optional[str] = ..., memory_value: _Optional[str] = ..., memory_format: _Optional[str] = ...) -> None: ...

class ArtifactStored(_message.Message):
    __slots__ = ("artifact_name", "artifact_digest", "artifact_size_bytes", "artifact_version", "artifact_step")
    ARTIFACT_NAME_FIELD_NUMBER: _ClassVar[int]
    ARTIFACT_DIGEST_FIELD_NUMBER: _ClassVar[int]
    ARTIFACT_SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    ARTIFACT_VERSION_FIELD_NUMBER: _ClassVar[int]
    ARTIFACT_STEP_FIELD_NUMBER: _ClassVar[int]
    artifact_name: str
    artifact_digest: str
    artifact_size_bytes: int
    artifact_version: int
    artifact_step: str
    def __init__(self, artifact_name: _Optional[str] = ..., artifact_digest: _Optional[str] = ..., artifact_size_bytes: _Optional[int] = ..., artifact_version: _Optional[int] = ..., artifact_step: _Optional[str] = ...) -> None: ...

class SessionLine(_message.Message):
    __slots__ = ("line_source", "line_number", "line_offset", "line_bytes", "line_digest", "line_type")
    LINE_SOURCE_FIELD_NUMBER: _ClassVar[int]
    LINE_NUMBER_FIELD_NUMBER: _ClassVar[int]
    LINE_OFFSET_FIELD_NUMBER: _ClassVar[int]
    LINE_BYTES_FIELD_NUMBER: _ClassVar[int]
    LINE_DIGEST_FIELD_NUMBER: _ClassVar[int]
    LINE_TYPE_FIELD_NUMBER: _ClassVar[int]
    line_source: str
    line_number: int
    line_offset: int
    line_bytes: bytes
    line_digest: str
    line_type: str
    def __init__(self, line_source: _Optional[str] = ..., line_number: _Optional[int] = ..., line_offset: _Optional[int] = ..., line_bytes: _Optional[bytes] = ..., line_digest: _Optional[str] = ..., line_type: _Optional[str] = ...) -> None: ...

class SessionMark(_message.Message):
    __slots__ = ("mark_type", "mark_text", "mark_document")
    MARK_TYPE_FIELD_NUMBER: _ClassVar[int]
    MARK_TEXT_FIELD_NUMBER: _ClassVar[int]
    MARK_DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    mark_type: str
    mark_text: str
    mark_document: str
    def __init__(self, mark_type: _Optional[str] = ..., mark_text: _Optional[str] = ..., mark_document: _Optional[str] = ...) -> None: ...
