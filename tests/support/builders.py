"""Events for tests: valid, with every envelope field set, and each value can be replaced."""

import uuid
from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from nervous_system.schemas import (
    AgentDecision,
    AgentMessage,
    AgentRole,
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
MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678900, tzinfo=UTC)
ROLE_TOKENS = {0: "unspecified", 1: "architect", 2: "coder", 3: "reviewer", 4: "operator"}


def build_event(
    payload: Payload | None = None,
    *,
    event_id: str | None = None,
    at: datetime = MOMENT,
    role: AgentRole = AgentRole.ROLE_CODER,
    agent_id: str = "coder-1",
    run_id: str = "run-1",
    emitter_id: str = "",
    emitter_seq: int = 0,
    trace_id: str = "0af7651916cd43dd8448eb211c80319c",
    span_id: str = "b7ad6b7169203331",
) -> SwarmEvent:
    """Return an event around `payload`, by default a decision."""
    event = SwarmEvent(
        event_id=event_id or str(uuid.uuid4()),
        timestamp=_timestamp(at),
        trace_id=trace_id,
        span_id=span_id,
        agent_role=role,
        agent_id=agent_id,
        run_id=run_id,
        emitter_id=emitter_id,
        emitter_seq=emitter_seq,
        workspace_id=run_id,
    )
    getattr(event, field_of(payload or build_decision())).CopyFrom(payload or build_decision())
    return event


def build_minimal_event(payload: Payload | None = None, **fields: object) -> SwarmEvent:
    """Return an event of a publisher that knows only the frozen fields."""
    event = build_event(payload, **fields)  # type: ignore[arg-type]
    for name in ("run_id", "emitter_id", "emitter_seq", "workspace_id"):
        event.ClearField(name)
    return event


def build_decision(rationale: str = "split adapter") -> AgentDecision:
    return AgentDecision(
        context_hash="a" * 64,
        input_trigger="issue 12",
        rationale=rationale,
        rejected_alternatives=["rewrite", "leave it"],
        memory_ids=["m1"],
        confidence_score=0.9,
    )


def build_state_change(
    resource: str = "src/auth.py", before: str = "", after: str = "b" * 64
) -> StateChange:
    return StateChange(
        target_type="FILE_SYSTEM",
        target_resource=resource,
        previous_state_hash=before,
        new_state_hash=after,
        diff_patch="--- a/src/auth.py\n+++ b/src/auth.py\n@@ -1 +1 @@\n-old\n+new\n",
        is_reversible=True,
        mode=0o644,
        size_bytes=4,
    )


def build_signal(status: str = "HEALTHY", final_count: int = 0) -> SystemSignal:
    return SystemSignal(
        status=status, cpu_load_percent=12, memory_usage_mb=34, final_count=final_count
    )


def build_tombstone(reason: str = "too large") -> Tombstone:
    return Tombstone(
        tombstone_reason=reason,
        refused_kind="decision",
        refused_size_bytes=9_000_000,
        refused_digest="c" * 64,
    )


def build_workspace_created(workspace_id: str = "ws-1") -> WorkspaceCreated:
    return WorkspaceCreated(
        created_workspace_id=workspace_id,
        parent_workspace_id="ws-0",
        parent_event_id=str(uuid.UUID(int=1)),
        base_commit="d" * 40,
        manifest_digest="e" * 64,
    )


def build_tool_call(name: str = "read_file", outcome: str = "ok") -> ToolCall:
    return ToolCall(
        tool_name=name,
        tool_call_id="call-1",
        tool_arguments='{"path":"src/auth.py"}',
        tool_result="import os",
        tool_outcome=outcome,
        tool_duration_us=1_500,
    )


def build_task_transition(task_id: str = "t1", state: str = "RUNNING") -> TaskTransition:
    return TaskTransition(
        task_id=task_id,
        task_state=state,
        task_trigger="claim",
        task_worker="coder-1",
        task_attempt=2,
        task_fence=17,
        task_document='{"title":"remove unused imports"}',
        task_reason="the worker before died",
    )


def build_run_transition(state: str = "RUNNING") -> RunTransition:
    return RunTransition(
        run_state=state,
        run_document='{"task":"fix lint","model":"offline","branch":"swarm/run-1"}',
        run_reason="planned",
    )


def build_model_call(name: str = "offline") -> ModelCall:
    return ModelCall(
        model_name=name,
        input_tokens=1_200,
        output_tokens=34,
        cost_microusd=560,
        model_duration_us=70_000,
        model_outcome="ok",
    )


def build_step_transition(step_id: str = "design", state: str = "complete") -> StepTransition:
    return StepTransition(
        step_id=step_id,
        step_state=state,
        step_trigger="complete",
        step_holder="coder-1",
        step_fence=17,
        step_expires_at_ms=1_767_323_045_678,
        step_document='{"note":"API in api.md","next_agent":"tester"}',
    )


def build_message(text: str = "the API is ready") -> AgentMessage:
    return AgentMessage(message_recipient="tester", message_text=text, message_step="design")


def build_mailbox_read(read_through: int = 17) -> MailboxRead:
    return MailboxRead(
        read_through=read_through, read_ids=[str(uuid.UUID(int=2))], removed_through=3
    )


def build_memory_change(key: str = "db.port", value: str = "5432") -> MemoryChange:
    return MemoryChange(memory_key=key, memory_value=value, memory_format="json")


def build_artifact_stored(name: str = "report.pdf") -> ArtifactStored:
    return ArtifactStored(
        artifact_name=name,
        artifact_digest="f" * 64,
        artifact_size_bytes=2**33,
        artifact_version=2,
        artifact_step="design",
    )


def build_session_line(line: bytes = b'{"type":"user"}') -> SessionLine:
    return SessionLine(
        line_source="transcript",
        line_number=3,
        line_offset=2**33,
        line_bytes=line,
        line_digest="a" * 64,
        line_type="user",
    )


def build_session_mark(type_: str = "prompt", text: str = "fix the tests") -> SessionMark:
    return SessionMark(mark_type=type_, mark_text=text, mark_document='{"cwd":"src"}')


def subject_of(event: SwarmEvent) -> str:
    """Return the subject that a publisher of an agent with a plain id uses."""
    kind = event.WhichOneof("payload") or "unknown"
    return f"swarm.events.{ROLE_TOKENS[event.agent_role]}.{kind}.{event.agent_id}"


def field_of(payload: Payload) -> str:
    """Return the branch of the oneof that holds `payload`."""
    branches = {
        AgentDecision: "decision",
        StateChange: "state_change",
        SystemSignal: "system_signal",
        Tombstone: "tombstone",
        WorkspaceCreated: "workspace_created",
        ToolCall: "tool_call",
        TaskTransition: "task_transition",
        RunTransition: "run_transition",
        ModelCall: "model_call",
        StepTransition: "step_transition",
        AgentMessage: "message",
        MailboxRead: "mailbox_read",
        MemoryChange: "memory_change",
        ArtifactStored: "artifact_stored",
        SessionLine: "session_line",
        SessionMark: "session_mark",
    }
    return branches[type(payload)]


def _timestamp(at: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(at)
    return stamp
