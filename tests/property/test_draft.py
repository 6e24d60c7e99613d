"""A draft with its number is, byte for byte, what protobuf makes of the same event."""

from hypothesis import given
from hypothesis import strategies as st

from nervous_system import events
from nervous_system.draft import NANOSECONDS, Envelope
from nervous_system.emitter import Emitter
from nervous_system.identity import AgentIdentity
from nervous_system.schemas import AgentRole, SwarmEvent

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
ids = st.uuids().map(str)
hexes = st.integers(1, 2**128 - 1)
payloads = st.one_of(
    st.builds(
        lambda text, many: events.decision(rationale=text, memory_ids=many), texts, st.lists(texts)
    ),
    st.builds(lambda text: events.system_signal("HEALTHY", detail=text), texts),
    st.builds(
        lambda text: events.state_change(target_type="F", target_resource="a", diff_patch=text),
        texts,
    ),
)


@given(
    payloads,
    st.builds(
        lambda agent, run: AgentIdentity(
            agent_id=agent, role=AgentRole.ROLE_CODER, name="x", run_id=run, workspace_id="w" + run
        ),
        names,
        texts,
    ),
    ids,
    st.integers(0, 10**19),
    st.one_of(st.none(), hexes),
    st.lists(ids, max_size=3),
    st.one_of(st.none(), st.dictionaries(names, texts, max_size=1)),
    texts,
    st.integers(0, 3),
)
def test_draft_and_link_are_what_protobuf_writes(
    payload: events.Payload,
    identity: AgentIdentity,
    event_id: str,
    time_ns: int,
    trace: int | None,
    causes: list[str],
    attributes: dict[str, str] | None,
    workspace_id: str,
    before: int,
) -> None:
    emitter = Emitter(identity.emitter_id)
    for _ in range(before * 100):
        emitter.taken(b"x")
    trace_id, span_id = (f"{trace:032x}", f"{trace:032x}"[16:]) if trace else ("", "")
    draft = Envelope(identity).draft(
        events.kind_of_payload(payload),
        payload,
        event_id=event_id,
        time_ns=time_ns,
        trace_id=trace_id,
        span_id=span_id,
        caused_by=causes,
        attributes=attributes,
        workspace_id=workspace_id,
    )
    event = events.build(
        payload,
        role=identity.role,
        agent_id=identity.agent_id,
        event_id=event_id,
        trace_id=trace_id,
        span_id=span_id,
        run_id=identity.run_id,
        workspace_id=workspace_id or identity.workspace_id,
        caused_by=causes,
        attributes=attributes,
    )
    event.timestamp.seconds, event.timestamp.nanos = divmod(time_ns, NANOSECONDS)
    event.emitter_id, event.emitter_seq = emitter.emitter_id, before * 100 + 1
    event.previous_digest = emitter.digest
    assert draft.head + emitter.link() + draft.tail == SwarmEvent.SerializeToString(event)
