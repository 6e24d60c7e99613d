"""Writes golden events: bytes as a publisher of today makes them, and what they decode to.

Run once per new case (`python -m tests.golden.write_golden`). Files that exist are never written
again: what is there was published by somebody and has to be read for ever.
"""

import json
from collections.abc import Callable
from pathlib import Path

from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from nervous_system import events
from nervous_system.schemas import AgentRole, SwarmEvent

FOLDER = Path(__file__).parent / "v1"
EVENT_ID = "01939f2c-7b1e-7c3a-9d52-0a6f3f7be0{:02x}"
STRING, BYTES, FLOAT, BOOL, INT32, INT64, ENUM, MESSAGE = 9, 12, 2, 8, 5, 3, 14, 11
Field = descriptor_pb2.FieldDescriptorProto


def _event(number: int, payload: events.Payload, **envelope: object) -> SwarmEvent:
    event = events.build(
        payload,
        role=AgentRole.ROLE_CODER,
        agent_id="coder-1",
        event_id=EVENT_ID.format(number),
        trace_id="4bf92f3577b34da6a3ce929d0e0e4736",
        span_id="00f067aa0ba902b7",
        run_id="r1",
        workspace_id="ws-1",
        caused_by=[EVENT_ID.format(0)],
        attributes={"branch": "main", "größe": "✓"},
    )
    event.timestamp.seconds, event.timestamp.nanos = 1_733_050_000, 123_456_789
    event.emitter_id = "01939f2c-0000-7000-8000-000000000001"
    event.emitter_seq = number
    event.previous_digest = bytes(range(32))
    for name, value in envelope.items():
        setattr(event, name, value)
    return event


def decision() -> bytes:
    return _event(
        1,
        events.decision(
            context_hash="a" * 64,
            input_trigger="issue 12",
            rationale="split adapter: naïve, 漢字 and 🐝 survive",
            rejected_alternatives=["rewrite", ""],
            memory_ids=["m1", "m2"],
            confidence=0.75,
        ),
    ).SerializeToString(deterministic=True)


def state_change() -> bytes:
    return _event(
        2,
        events.state_change(
            target_type="FILE_SYSTEM",
            target_resource="src/b.py",
            previous_state_hash="b" * 64,
            new_state_hash="c" * 64,
            diff_patch="--- a/src/a.py\n+++ b/src/b.py\n@@ -1 +1 @@\n-old\n+new\n",
            is_reversible=True,
            mode=0o755,
            size_bytes=2**40,
            renamed_from="src/a.py",
            resource_bytes=b"src/\xff.py",
        ),
    ).SerializeToString(deterministic=True)


def system_signal() -> bytes:
    return _event(
        3,
        events.system_signal(
            "STOPPED", cpu_load_percent=250, memory_usage_mb=512, final_count=3, detail="done"
        ),
    ).SerializeToString(deterministic=True)


def tombstone() -> bytes:
    return _event(
        4,
        events.tombstone(
            "maximum payload exceeded (10054)",
            refused_kind="decision",
            refused_size_bytes=9_000_000,
            refused_digest="d" * 64,
        ),
    ).SerializeToString(deterministic=True)


def workspace_created() -> bytes:
    return _event(
        5,
        events.workspace_created(
            "ws-1",
            parent_workspace_id="ws-0",
            parent_event_id=EVENT_ID.format(2),
            base_commit="e" * 40,
            manifest_digest="f" * 64,
        ),
    ).SerializeToString(deterministic=True)


def redacted_decision() -> bytes:
    event = _event(6, events.decision(rationale="the key is [redacted:github_token]"))
    event.redactions["github_token"] = 1
    event.original_digest = bytes(range(32, 64))
    return event.SerializeToString(deterministic=True)


def empty_decision() -> bytes:
    """The payload is set, and every field of it has its default."""
    event = SwarmEvent(event_id=EVENT_ID.format(7))
    event.decision.SetInParent()
    return event.SerializeToString(deterministic=True)


def tool_call() -> bytes:
    return _event(
        10,
        events.tool_call(
            "run_command",
            call_id="call_7",
            arguments={"command": ["pytest", "-q"], "größe": 3},
            result="1 failed: 漢字 and 🐝",
            outcome="timed_out",
            duration_us=2**40,
        ),
    ).SerializeToString(deterministic=True)


def task_transition() -> bytes:
    return _event(
        11,
        events.task_transition(
            "t1",
            state="DONE",
            trigger="complete",
            worker="coder-1",
            attempt=2,
            fence=2**40,
            document={"commit": "e" * 40, "files": ["src/a.py"]},
            reason="accepted by the reviewer",
        ),
    ).SerializeToString(deterministic=True)


def run_transition() -> bytes:
    return _event(
        12,
        events.run_transition(
            state="PLANNING",
            document={"task": "fix lint", "model": "offline", "branch": "swarm/r1", "coders": 2},
            reason="asked for by the operator",
        ),
    ).SerializeToString(deterministic=True)


def model_call() -> bytes:
    return _event(
        13,
        events.model_call(
            "openai:some-model",
            input_tokens=2**40,
            output_tokens=345,
            cost_microusd=6_789,
            duration_us=1_234_567,
            outcome="ok",
        ),
    ).SerializeToString(deterministic=True)


def step_transition() -> bytes:
    return _event(
        14,
        events.step_transition(
            "design",
            state="in_progress",
            trigger="renew",
            holder="coder-1",
            fence=2**40,
            expires_at_ms=1_733_051_800_123,
            document={"command": ["make", "größe"]},
        ),
    ).SerializeToString(deterministic=True)


def message() -> bytes:
    return _event(
        15, events.message("_broadcast", "the API is ready: 漢字 and 🐝", step="design")
    ).SerializeToString(deterministic=True)


def mailbox_read() -> bytes:
    return _event(
        16,
        events.mailbox_read(
            read_through=2**40, removed_through=3, removed=[EVENT_ID.format(4), EVENT_ID.format(5)]
        ),
    ).SerializeToString(deterministic=True)


def memory_change() -> bytes:
    return _event(
        17, events.memory_change("db.port", '{"port": 5432}', format="json")
    ).SerializeToString(deterministic=True)


def artifact_stored() -> bytes:
    return _event(
        18,
        events.artifact_stored(
            "reports/größe.pdf", digest="a" * 64, size_bytes=2**40, version=2, step="design"
        ),
    ).SerializeToString(deterministic=True)


def session_line() -> bytes:
    return _event(
        19,
        events.session_line(
            b'{"type":"user","content":"\xff"}',
            source="transcript",
            number=3,
            offset=2**40,
            digest="hmac:" + "b" * 64,
            type="unknown:user",
        ),
    ).SerializeToString(deterministic=True)


def session_mark() -> bytes:
    return _event(
        20,
        events.session_mark("prompt", text="fix the tests ✓", document={"cwd": "src", "turn": 2}),
    ).SerializeToString(deterministic=True)


def frozen_fields_only() -> bytes:
    """A publisher whose schema ends with the frozen fields."""
    event = _frozen_schema()()
    _fill_frozen(event, number=8)
    decided = event.decision  # type: ignore[attr-defined]
    decided.rationale, decided.confidence_score = "knows only the frozen fields", 0.5
    decided.rejected_alternatives.append("wait")
    return event.SerializeToString(deterministic=True)


def newer_schema() -> bytes:
    """A publisher of a later schema: payload 42, role 17, envelope field 150."""
    event = _newer_schema()()
    _fill_frozen(event, number=9)
    event.agent_role = 17  # type: ignore[attr-defined]
    event.negotiation.offer = "unheard of"  # type: ignore[attr-defined]
    event.colour = "green"  # type: ignore[attr-defined]
    return event.SerializeToString(deterministic=True)


CASES: dict[str, Callable[[], bytes]] = {
    case.__name__: case
    for case in (
        decision,
        state_change,
        system_signal,
        tombstone,
        workspace_created,
        redacted_decision,
        empty_decision,
        frozen_fields_only,
        newer_schema,
        tool_call,
        task_transition,
        run_transition,
        model_call,
        step_transition,
        message,
        mailbox_read,
        memory_change,
        artifact_stored,
        session_line,
        session_mark,
    )
}


def _fill_frozen(event: Message, *, number: int) -> None:
    event.event_id = EVENT_ID.format(number)  # type: ignore[attr-defined]
    event.timestamp.seconds = 1_733_050_000  # type: ignore[attr-defined]
    event.trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"  # type: ignore[attr-defined]
    event.span_id = "00f067aa0ba902b7"  # type: ignore[attr-defined]
    event.agent_role = 1  # type: ignore[attr-defined]
    event.agent_id = "architect-1"  # type: ignore[attr-defined]


def _schema(package: str, members: list[Field], messages: dict[str, list[Field]]) -> type[Message]:
    """Return an event class made of nothing but these fields, apart from the generated one."""
    pool = descriptor_pool.DescriptorPool()
    file = descriptor_pb2.FileDescriptorProto(
        name=f"{package}.proto", package=package, syntax="proto3"
    )
    messages = {"Timestamp": [_field("seconds", 1, INT64), _field("nanos", 2, INT32)], **messages}
    for name, fields in {**messages, "SwarmEvent": members}.items():
        file.message_type.add(name=name).field.extend(fields)
    pool.Add(file)
    return GetMessageClass(pool.FindMessageTypeByName(f"{package}.SwarmEvent"))


def _field(name: str, number: int, kind: int, *, of: str = "", many: bool = False) -> Field:
    label = Field.LABEL_REPEATED if many else Field.LABEL_OPTIONAL
    field = Field(name=name, number=number, label=label)
    field.type = kind  # type: ignore[assignment]
    if of:
        field.type_name = of
    return field


def _envelope() -> list[Field]:
    return [
        _field("event_id", 1, STRING),
        _field("timestamp", 2, MESSAGE, of="Timestamp"),
        _field("trace_id", 3, STRING),
        _field("span_id", 4, STRING),
        _field("agent_role", 5, INT32),
        _field("agent_id", 6, STRING),
    ]


def _frozen_schema() -> type[Message]:
    decided = [
        _field("context_hash", 1, STRING),
        _field("input_trigger", 2, STRING),
        _field("rationale", 3, STRING),
        _field("rejected_alternatives", 4, STRING, many=True),
        _field("memory_ids", 5, STRING, many=True),
        _field("confidence_score", 6, FLOAT),
    ]
    members = [*_envelope(), _field("decision", 10, MESSAGE, of="AgentDecision")]
    return _schema("frozen", members, {"AgentDecision": decided})


def _newer_schema() -> type[Message]:
    members = [
        *_envelope(),
        _field("negotiation", 42, MESSAGE, of="Negotiation"),
        _field("colour", 150, STRING),
    ]
    return _schema("newer", members, {"Negotiation": [_field("offer", 1, STRING)]})


def expected(raw: bytes) -> str:
    """Return what the bytes decode to, as it is kept beside them."""
    event = events.decode(raw)
    value = {"kind": events.kind_of(event), "event": events.to_dict(event)}
    return json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def main() -> None:
    for name, case in CASES.items():
        target = FOLDER / f"{name}.binpb"
        if target.exists():
            continue
        raw = case()
        target.write_bytes(raw)
        target.with_suffix(".json").write_text(expected(raw), encoding="utf-8")


if __name__ == "__main__":
    main()
