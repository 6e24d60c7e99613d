"""The language of events, for whatever may be said in it."""

from hypothesis import given
from hypothesis import strategies as st

from nervous_system import events
from nervous_system.errors import EventDecodeError
from nervous_system.payloads import LINE_SOURCES, MEMORY_FORMATS, TOOL_OUTCOMES
from nervous_system.schemas import SwarmEvent

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
ids = st.uuids().map(str)
digests = st.sampled_from([b"", bytes(32), bytes(range(32))])
floats = st.floats(0, 1, width=32)
uint32 = st.integers(0, 2**32 - 1)
uint64 = st.integers(0, 2**64 - 1)
int32 = st.integers(-(2**31), 2**31 - 1)

decisions = st.builds(
    events.decision,
    rationale=texts,
    context_hash=texts,
    input_trigger=texts,
    rejected_alternatives=st.lists(texts, max_size=3),
    memory_ids=st.lists(texts, max_size=3),
    confidence=floats,
)
state_changes = st.builds(
    events.state_change,
    target_type=texts,
    target_resource=texts,
    previous_state_hash=texts,
    new_state_hash=texts,
    diff_patch=texts,
    is_reversible=st.booleans(),
    mode=uint32,
    size_bytes=uint64,
    renamed_from=texts,
    resource_bytes=st.binary(max_size=20),
)
signals = st.builds(
    events.system_signal,
    texts,
    cpu_load_percent=int32,
    memory_usage_mb=int32,
    final_count=uint64,
    detail=texts,
)
tombstones = st.builds(
    events.tombstone,
    texts,
    refused_kind=texts,
    refused_size_bytes=uint64,
    refused_digest=texts,
)
workspaces = st.builds(
    events.workspace_created,
    texts,
    parent_workspace_id=texts,
    parent_event_id=texts,
    base_commit=texts,
    manifest_digest=texts,
)
documents = st.one_of(texts, st.dictionaries(texts, st.one_of(texts, uint64), max_size=3))
tool_calls = st.builds(
    events.tool_call,
    texts,
    call_id=texts,
    arguments=documents,
    result=texts,
    outcome=st.sampled_from(TOOL_OUTCOMES),
    duration_us=uint64,
)
task_transitions = st.builds(
    events.task_transition,
    texts,
    state=texts,
    trigger=texts,
    worker=texts,
    attempt=uint32,
    fence=uint64,
    document=documents,
    reason=texts,
)
run_transitions = st.builds(events.run_transition, state=texts, document=documents, reason=texts)
model_calls = st.builds(
    events.model_call,
    texts,
    input_tokens=uint64,
    output_tokens=uint64,
    cost_microusd=uint64,
    duration_us=uint64,
    outcome=texts,
)
step_transitions = st.builds(
    events.step_transition,
    texts,
    state=texts,
    trigger=texts,
    holder=texts,
    fence=uint64,
    expires_at_ms=uint64,
    document=documents,
)
agent_messages = st.builds(events.message, texts, texts, step=texts)
mailbox_reads = st.builds(
    events.mailbox_read,
    read_through=uint64,
    removed_through=uint64,
    removed=st.lists(texts, max_size=3),
)
memory_changes = st.builds(
    events.memory_change, texts, texts, format=st.sampled_from(MEMORY_FORMATS)
)
artifacts = st.builds(
    events.artifact_stored, texts, digest=texts, size_bytes=uint64, version=uint32, step=texts
)
session_lines = st.builds(
    events.session_line,
    st.binary(max_size=12),
    source=st.sampled_from(LINE_SOURCES),
    number=uint64,
    offset=uint64,
    digest=texts,
    type=texts,
)
session_marks = st.builds(events.session_mark, texts, text=texts, document=documents)
payloads = st.one_of(
    *(decisions, state_changes, signals, tombstones, workspaces),
    *(tool_calls, task_transitions, run_transitions, model_calls),
    *(step_transitions, agent_messages, mailbox_reads, memory_changes, artifacts),
    *(session_lines, session_marks),
)


@st.composite
def swarm_events(draw: st.DrawFn) -> SwarmEvent:
    event = events.build(
        draw(payloads),
        role=draw(int32),  # type: ignore[arg-type]
        agent_id=draw(texts),
        event_id=draw(ids),
        trace_id=draw(texts),
        span_id=draw(texts),
        run_id=draw(texts),
        workspace_id=draw(texts),
        caused_by=draw(st.lists(ids, max_size=3)),
        attributes=draw(st.dictionaries(texts, texts, max_size=3)),
    )
    event.timestamp.seconds = draw(st.integers(-62_135_596_800, 253_402_300_799))
    event.timestamp.nanos = draw(st.integers(0, 999_999_999))
    event.emitter_id = draw(texts)
    event.emitter_seq = draw(uint64)
    event.previous_digest = draw(digests)
    event.original_digest = draw(digests)
    for kind, count in draw(st.dictionaries(texts, uint32, max_size=2)).items():
        event.redactions[kind] = count
    return event


@given(swarm_events())
def test_decoding_gives_back_what_was_encoded(event: SwarmEvent) -> None:
    assert events.decode(events.encode(event)) == event


@given(swarm_events())
def test_json_gives_back_what_was_written(event: SwarmEvent) -> None:
    assert events.from_json(events.to_json(event)) == event


@given(
    swarm_events(),
    st.integers(150, 2**29 - 1).filter(lambda number: not 19_000 <= number < 20_000),
    st.binary(max_size=30),
)
def test_fields_of_newer_schemas_survive(event: SwarmEvent, number: int, content: bytes) -> None:
    unknown = _varint(number << 3 | 2) + _varint(len(content)) + content
    decoded = events.decode(events.encode(event) + unknown)
    assert unknown in events.encode(decoded)
    decoded.DiscardUnknownFields()
    assert decoded == event


@given(st.binary(max_size=200))
def test_any_bytes_are_an_event_or_refused(raw: bytes) -> None:
    try:
        event = events.decode(raw)
    except EventDecodeError:
        return
    assert events.is_event_id(event.event_id)


@given(swarm_events(), st.data())
def test_mutated_events_are_events_or_refused(event: SwarmEvent, data: st.DataObject) -> None:
    raw = bytearray(events.encode(event))
    raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        events.kind_of(events.decode(bytes(raw)))
    except EventDecodeError:
        return


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)
