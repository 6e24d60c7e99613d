"""Decoding by the thousand gives what decoding one by one gives, whatever the messages are."""

from hypothesis import given
from hypothesis import strategies as st

from infrastructure.history.verify.decoding import RUN_MESSAGES, decode_runs
from infrastructure.ingestor.decoding import decode
from nervous_system.schemas import SwarmEvent
from tests.support.builders import (
    Payload,
    build_decision,
    build_event,
    build_signal,
    build_state_change,
    build_task_transition,
    build_tool_call,
)

UNKNOWN_FIELD = b"\xf8\x3f\x01"
UNKNOWN_GROUP = b"\xfb\x3f\xfc\x3f"
WRONG_WIRE_TYPE = b"\x08\x01"
LONG_VARINT = b"\xb0\x06\x85\x80\x00"
"""emitter_seq 5, in more bytes than it takes."""


@st.composite
def events(draw: st.DrawFn) -> bytes:
    payloads: list[Payload] = [
        build_decision(),
        build_signal("HEALTHY"),
        build_state_change("src/auth.py"),
        build_tool_call(),
        build_task_transition(),
    ]
    payload = draw(st.sampled_from(payloads))
    event = build_event(
        payload,
        emitter_id=draw(st.sampled_from(["", "e1"])),
        emitter_seq=draw(st.integers(0, 2**64 - 1)),
    )
    if draw(st.booleans()):
        event.event_id = draw(st.sampled_from(["", "no uuid", "é" * 18, "-" * 36]))
    event.attributes.update(draw(st.dictionaries(st.text(max_size=4), st.text(max_size=4))))
    event.run_id = "x" * draw(st.sampled_from([0, 1, 120, 9_000, 20_000]))
    return event.SerializeToString()


TAILS = st.sampled_from(
    [b"", b"", UNKNOWN_FIELD, UNKNOWN_GROUP, WRONG_WIRE_TYPE, LONG_VARINT, b"\xff", b"\x0a\x05"]
)
MESSAGES = st.one_of(
    st.builds(bytes.__add__, events(), TAILS),
    st.builds(lambda one, other: one + other, events(), events()),
    st.binary(max_size=40),
)


def canonical_of(payloads: list[bytes]) -> list[bytes]:
    """The events of some messages, without an order in their maps."""
    return [SwarmEvent.FromString(one).SerializeToString(deterministic=True) for one in payloads]


@given(st.lists(MESSAGES, max_size=12))
def test_a_run_is_what_its_messages_are(payloads: list[bytes]) -> None:
    found, carried = decode_runs(payloads)
    plain = decode(payloads)
    assert canonical_of(found.canonical) == canonical_of(plain.canonical)
    assert (found.kinds, found.agents, found.event_ids, found.reasons, found.numbered) == (
        plain.kinds, plain.agents, plain.event_ids, plain.reasons, plain.numbered
    )  # fmt: skip
    assert [at for at, event in enumerate(carried) if event is None] == sorted(found.reasons)
    assert [event.event_id for event in carried if event is not None] == found.event_ids


@given(st.lists(MESSAGES, max_size=12))
def test_nothing_unknown_and_nothing_in_odd_form_is_left(payloads: list[bytes]) -> None:
    found, _ = decode_runs([build_event().SerializeToString(), *payloads])
    for canonical in found.canonical:
        again = SwarmEvent.FromString(canonical)
        again.DiscardUnknownFields()
        assert again.ByteSize() == len(canonical)


def test_a_message_that_is_no_event_spoils_only_itself() -> None:
    events = [build_event(emitter_id="e", emitter_seq=at + 1) for at in range(3 * RUN_MESSAGES)]
    payloads = [event.SerializeToString() for event in events]
    broken = RUN_MESSAGES + 7
    payloads[broken] = b"\xff"
    found, carried = decode_runs(payloads)
    assert set(found.reasons) == {broken}
    expected = [at for at in range(len(payloads)) if at != broken]
    assert [at for at, _, _ in found.numbered] == expected
    assert [event.event_id for event in carried if event] == [
        events[at].event_id for at in expected
    ]
    assert found.canonical[:broken] + found.canonical[broken + 1 :] == (
        payloads[:broken] + payloads[broken + 1 :]
    )
