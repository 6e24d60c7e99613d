"""Strategies for messages: valid events, those of newer and broken publishers, noise."""

from hypothesis import strategies as st

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
    SwarmEvent,
    SystemSignal,
    TaskTransition,
    Tombstone,
    ToolCall,
    WorkspaceCreated,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
U64 = st.integers(0, 2**64 - 1)
I32 = st.integers(-(2**31), 2**31 - 1)

_decisions = st.builds(
    AgentDecision,
    context_hash=TEXT,
    input_trigger=TEXT,
    rationale=TEXT,
    rejected_alternatives=st.lists(TEXT, max_size=3),
    memory_ids=st.lists(TEXT, max_size=3),
    confidence_score=st.floats(width=32, allow_nan=False),
)
_changes = st.builds(
    StateChange,
    target_type=TEXT,
    target_resource=TEXT,
    previous_state_hash=TEXT,
    new_state_hash=TEXT,
    diff_patch=TEXT,
    is_reversible=st.booleans(),
    mode=st.integers(0, 2**32 - 1),
    size_bytes=U64,
    renamed_from=TEXT,
    resource_bytes=st.binary(max_size=8),
)
_signals = st.builds(
    SystemSignal,
    status=TEXT,
    cpu_load_percent=I32,
    memory_usage_mb=I32,
    final_count=U64,
    detail=TEXT,
)
_tombstones = st.builds(
    Tombstone,
    tombstone_reason=TEXT,
    refused_kind=TEXT,
    refused_size_bytes=U64,
    refused_digest=TEXT,
)
_workspaces = st.builds(
    WorkspaceCreated,
    created_workspace_id=TEXT,
    parent_workspace_id=TEXT,
    parent_event_id=TEXT,
    base_commit=TEXT,
    manifest_digest=TEXT,
)
_tool_calls = st.builds(
    ToolCall,
    tool_name=TEXT,
    tool_call_id=TEXT,
    tool_arguments=TEXT,
    tool_result=TEXT,
    tool_outcome=TEXT,
    tool_duration_us=U64,
)
_tasks = st.builds(
    TaskTransition,
    task_id=TEXT,
    task_state=TEXT,
    task_trigger=TEXT,
    task_worker=TEXT,
    task_attempt=st.integers(0, 2**32 - 1),
    task_fence=U64,
    task_document=TEXT,
    task_reason=TEXT,
)
_runs = st.builds(RunTransition, run_state=TEXT, run_document=TEXT, run_reason=TEXT)
_model_calls = st.builds(
    ModelCall,
    model_name=TEXT,
    input_tokens=U64,
    output_tokens=U64,
    cost_microusd=U64,
    model_duration_us=U64,
    model_outcome=TEXT,
)
_steps = st.builds(
    StepTransition,
    step_id=TEXT,
    step_state=TEXT,
    step_trigger=TEXT,
    step_holder=TEXT,
    step_fence=U64,
    step_expires_at_ms=U64,
    step_document=TEXT,
)
_agent_messages = st.builds(
    AgentMessage, message_recipient=TEXT, message_text=TEXT, message_step=TEXT
)
_mailbox_reads = st.builds(
    MailboxRead, read_through=U64, read_ids=st.lists(TEXT, max_size=3), removed_through=U64
)
_memory_changes = st.builds(MemoryChange, memory_key=TEXT, memory_value=TEXT, memory_format=TEXT)
_artifacts = st.builds(
    ArtifactStored,
    artifact_name=TEXT,
    artifact_digest=TEXT,
    artifact_size_bytes=U64,
    artifact_version=st.integers(0, 2**32 - 1),
    artifact_step=TEXT,
)
_session_lines = st.builds(
    SessionLine,
    line_source=TEXT,
    line_number=U64,
    line_offset=U64,
    line_bytes=st.binary(max_size=12),
    line_digest=TEXT,
    line_type=TEXT,
)
_session_marks = st.builds(SessionMark, mark_type=TEXT, mark_text=TEXT, mark_document=TEXT)
_payloads = st.one_of(
    st.just({}),
    _decisions.map(lambda one: {"decision": one}),
    _changes.map(lambda one: {"state_change": one}),
    _signals.map(lambda one: {"system_signal": one}),
    _tombstones.map(lambda one: {"tombstone": one}),
    _workspaces.map(lambda one: {"workspace_created": one}),
    _tool_calls.map(lambda one: {"tool_call": one}),
    _tasks.map(lambda one: {"task_transition": one}),
    _runs.map(lambda one: {"run_transition": one}),
    _model_calls.map(lambda one: {"model_call": one}),
    _steps.map(lambda one: {"step_transition": one}),
    _agent_messages.map(lambda one: {"message": one}),
    _mailbox_reads.map(lambda one: {"mailbox_read": one}),
    _memory_changes.map(lambda one: {"memory_change": one}),
    _artifacts.map(lambda one: {"artifact_stored": one}),
    _session_lines.map(lambda one: {"session_line": one}),
    _session_marks.map(lambda one: {"session_mark": one}),
)
event_ids = st.one_of(st.uuids().map(str), st.uuids().map(lambda one: str(one).upper()))
seconds = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.integers(-2_208_988_802, -2_208_988_798),
    st.integers(9_223_372_033, 9_223_372_038),
    st.integers(0, 4_000_000_000),
)


@st.composite
def events(draw: st.DrawFn, *, ids: st.SearchStrategy[str] = event_ids) -> SwarmEvent:
    """Any event that our schema can express."""
    event = SwarmEvent(
        event_id=draw(ids),
        trace_id=draw(TEXT),
        span_id=draw(TEXT),
        agent_id=draw(TEXT),
        run_id=draw(TEXT),
        emitter_id=draw(st.sampled_from(["", "e1", "e2"])),
        emitter_seq=draw(st.integers(0, 4)),
        previous_digest=draw(st.binary(max_size=8)),
        caused_by=draw(st.lists(TEXT, max_size=2)),
        attributes=draw(st.dictionaries(TEXT, TEXT, max_size=3)),
        workspace_id=draw(TEXT),
        redactions=draw(st.dictionaries(TEXT, st.integers(0, 2**32 - 1), max_size=3)),
        original_digest=draw(st.binary(max_size=8)),
        **draw(_payloads),
    )
    event.agent_role = draw(st.one_of(st.integers(0, 4), I32))  # type: ignore[assignment]
    event.timestamp.seconds = draw(seconds)
    event.timestamp.nanos = draw(st.one_of(st.integers(0, 999_999_999), I32))
    return event


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes([value])


@st.composite
def fields(draw: st.DrawFn) -> bytes:
    """One field of any number and wire type, known to our schema or not, well formed or not."""
    number = draw(st.one_of(st.integers(1, 27), st.integers(50, 54), st.integers(99, 110)))
    wire_type = draw(st.integers(0, 7))
    content = draw(st.binary(max_size=8))
    body = {
        0: varint(draw(U64)),
        1: content.ljust(8, b"\0"),
        2: varint(len(content)) + content,
        3: varint(1 << 3) + b"\1" + varint(number << 3 | 4),
        5: content.ljust(4, b"\0")[:4],
    }.get(wire_type, content)
    return varint(number << 3 | wire_type) + body


@st.composite
def nested(draw: st.DrawFn) -> bytes:
    """A payload of odd fields, under one of the payload numbers."""
    content = b"".join(draw(st.lists(fields(), max_size=3)))
    return varint(draw(st.integers(10, 26)) << 3 | 2) + varint(len(content)) + content


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    """What may arrive: events, two merged into one, with odd fields, cut, altered, or noise."""
    raw = draw(events()).SerializeToString()
    match draw(st.sampled_from(["plain", "plain", "two", "odd", "cut", "flip", "id", "noise"])):
        case "two":
            return raw + draw(events()).SerializeToString()
        case "odd":
            return raw + b"".join(draw(st.lists(st.one_of(fields(), nested()), max_size=3)))
        case "cut":
            return raw[: draw(st.integers(0, len(raw)))]
        case "flip":
            at = draw(st.integers(0, len(raw) - 1))
            return raw[:at] + bytes([draw(st.integers(0, 255))]) + raw[at + 1 :]
        case "id":
            return draw(events(ids=TEXT)).SerializeToString()
        case "noise":
            return draw(st.binary(max_size=60))
    return raw
