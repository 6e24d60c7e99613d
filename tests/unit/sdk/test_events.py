import subprocess
import sys
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from nervous_system import events
from nervous_system.errors import EventDecodeError, InvalidEventError, UnknownPayloadError
from nervous_system.schemas import AgentRole, SwarmEvent

PAYLOADS: dict[str, events.Payload] = {
    "decision": events.decision(),
    "state_change": events.state_change(target_type="", target_resource=""),
    "system_signal": events.system_signal(""),
    "tombstone": events.tombstone("", refused_kind="", refused_size_bytes=0, refused_digest=""),
    "workspace_created": events.workspace_created(""),
    "tool_call": events.tool_call(""),
    "task_transition": events.task_transition("", state="", trigger=""),
    "run_transition": events.run_transition(state=""),
    "model_call": events.model_call(""),
    "step_transition": events.step_transition("", state="", trigger=""),
    "message": events.message("", ""),
    "mailbox_read": events.mailbox_read(read_through=0),
    "memory_change": events.memory_change("", ""),
    "artifact_stored": events.artifact_stored("", digest="", size_bytes=0, version=0),
    "session_line": events.session_line(b"", source="hook", number=0),
    "session_mark": events.session_mark(""),
}


@pytest.mark.parametrize("kind", events.KINDS)
def test_payload_with_defaults_only_still_says_its_kind(kind: str) -> None:
    event = events.build(PAYLOADS[kind])
    assert events.kind_of(events.decode(events.encode(event))) == kind


def test_new_ids_are_uuid7_and_carry_the_present_time() -> None:
    found = uuid.UUID(events.new_event_id())
    age = datetime.now(UTC) - datetime.fromtimestamp((found.int >> 80) / 1000, UTC)
    assert (found.version, found.variant) == (7, uuid.RFC_4122)
    assert abs(age) < timedelta(minutes=1)


def test_new_ids_are_unique() -> None:
    assert len({events.new_event_id() for _ in range(10_000)}) == 10_000


def test_build_fills_in_id_and_time() -> None:
    event = events.build(events.decision(rationale="why"), role="architect", agent_id="a")
    assert events.is_event_id(event.event_id)
    assert event.agent_role == AgentRole.ROLE_ARCHITECT
    assert event.timestamp.seconds > 1_700_000_000


def test_given_time_is_kept_to_the_microsecond() -> None:
    at = datetime(2031, 5, 4, 3, 2, 1, 987_654, tzinfo=UTC)
    assert events.event_time(events.build(events.decision(), at=at)) == at


def test_time_without_zone_is_refused() -> None:
    with pytest.raises(InvalidEventError, match="time zone"):
        events.build(events.decision(), at=datetime(2031, 5, 4))  # noqa: DTZ001


def test_time_beyond_the_calendar_reads_as_none() -> None:
    event = events.build(events.decision())
    event.timestamp.seconds = 2**62
    assert events.event_time(event) is None


def test_value_of_a_wrong_type_names_its_field() -> None:
    with pytest.raises(InvalidEventError) as caught:
        events.decision(rationale="x", memory_ids=[3])  # type: ignore[list-item]
    assert caught.value.field == "memory_ids"


@pytest.mark.parametrize("name", ["rejected_alternatives", "memory_ids"])
def test_text_is_not_taken_for_a_list_of_its_letters(name: str) -> None:
    with pytest.raises(InvalidEventError, match="list of texts") as caught:
        events.decision(**{name: "rewrite"})  # type: ignore[arg-type]
    assert caught.value.field == name


def test_half_characters_become_readable() -> None:
    payload = events.decision(
        rationale="half \ud83d", rejected_alternatives=iter(["\udcff", "é"]), memory_ids=("m",)
    )
    assert payload.rationale == "half \\ud83d"
    assert list(payload.rejected_alternatives) == ["\\udcff", "é"]
    event = events.build(payload, attributes={"\udcff": "\ud800"})
    assert dict(event.attributes) == {"\\udcff": "\\ud800"}


def test_foreign_message_is_no_payload() -> None:
    with pytest.raises(InvalidEventError, match="SwarmEvent is no payload"):
        events.build(SwarmEvent())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("event_id", "7"),
        ("event_id", ""),
        ("trace_id", "ABC"),
        ("trace_id", "A" * 32),
        ("span_id", "12"),
        ("previous_digest", b"12"),
        ("original_digest", b"12"),
    ],
)
def test_check_names_the_field_that_is_wrong(field: str, value: object) -> None:
    event = events.build(events.decision())
    setattr(event, field, value)
    with pytest.raises(InvalidEventError) as caught:
        events.check(event)
    assert caught.value.field == field


def test_check_refuses_a_cause_that_is_no_id() -> None:
    event = events.build(events.decision(), caused_by=["x"])
    with pytest.raises(InvalidEventError) as caught:
        events.check(event)
    assert caught.value.field == "caused_by"


def test_check_refuses_an_event_without_payload() -> None:
    with pytest.raises(InvalidEventError, match="set one of"):
        events.check(SwarmEvent(event_id=events.new_event_id()))


def test_check_refuses_nanoseconds_beyond_a_second() -> None:
    event = events.build(events.decision())
    event.timestamp.nanos = 10**9
    with pytest.raises(InvalidEventError) as caught:
        events.check(event)
    assert caught.value.field == "timestamp"


@pytest.mark.parametrize("confidence", [-0.1, 1.5, float("nan"), float("inf")])
def test_check_refuses_a_confidence_outside_0_to_1(confidence: float) -> None:
    with pytest.raises(InvalidEventError) as caught:
        events.check(events.build(events.decision(confidence=confidence)))
    assert caught.value.field == "decision.confidence_score"


def test_check_takes_what_only_the_frozen_fields_say() -> None:
    events.check(events.build(events.decision(context_hash="...", rationale="free text")))


@pytest.mark.parametrize("raw", [b"\xff", b"\x0a\x05ab", b"\x0a\x02\xff\xfe"])
def test_bytes_that_are_no_event_say_where_they_lay(raw: bytes) -> None:
    with pytest.raises(EventDecodeError, match=r"at swarm\.events\.x\.y#7") as caught:
        events.decode(raw, subject="swarm.events.x.y", sequence=7)
    assert caught.value.size_bytes == len(raw)


@pytest.mark.parametrize(
    "event_id", ["", "x", "{01939f2c-7b1e-7c3a-9d52-0a6f3f7be000}", "0" * 32, "0" * 36]
)
def test_event_without_a_uuid_is_no_event(event_id: str) -> None:
    with pytest.raises(EventDecodeError, match="is not a UUID"):
        events.decode(SwarmEvent(event_id=event_id).SerializeToString())


@pytest.mark.parametrize(
    "event_id",
    [
        "0b7f3a52-6d1e-4c8e-9a43-5f2d7c1e8b90",
        "69ca48ee-e4d5-11f1-bdfc-02fc00000001",
        "00000000-0000-0000-0000-000000000000",
    ],
    ids=["random", "by-time", "nil"],
)
def test_any_uuid_is_an_id(event_id: str) -> None:
    assert events.decode(SwarmEvent(event_id=event_id.upper()).SerializeToString())


def test_event_without_an_id_is_not_encoded() -> None:
    with pytest.raises(InvalidEventError):
        events.encode(SwarmEvent())


def test_payload_of_a_newer_schema_is_named_by_its_number() -> None:
    raw = SwarmEvent(event_id=events.new_event_id()).SerializeToString() + b"\xd2\x02\x00"
    event = events.decode(raw)
    assert events.kind_of(event) == "unknown"
    with pytest.raises(UnknownPayloadError, match="payload number 42"):
        events.payload_of(event)


def test_payload_that_is_known_is_given() -> None:
    payload = events.decision(rationale="why")
    assert events.payload_of(events.build(payload)) == payload


def test_forked_child_makes_ids_of_its_own() -> None:
    program = (
        "import os\n"
        "from nervous_system.events import new_event_id\n"
        "new_event_id()\n"
        "child = os.fork()\n"
        "if child: os.waitpid(child, 0)\n"
        "print(new_event_id(), flush=True)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    one, other = done.stdout.split()
    assert one[-12:] != other[-12:]
