import pytest

from nervous_system import events
from nervous_system.chains import EmitterChain, StateChain
from nervous_system.comms.contracts import Outgoing
from nervous_system.emitter import Emitter, make_tombstone
from nervous_system.errors import ChainBrokenError


def emit(emitter: Emitter, payload: events.Payload | None = None) -> bytes:
    event = events.build(payload or events.decision(rationale="why"), role="coder", agent_id="a")
    event.MergeFromString(emitter.link())
    raw = events.encode(event)
    emitter.taken(raw)
    return raw


def stopped(count: int) -> events.Payload:
    return events.system_signal("STOPPED", final_count=count)


def change(before: str, after: str) -> events.Payload:
    return events.state_change(
        target_type="FILE_SYSTEM",
        target_resource="a",
        previous_state_hash=before,
        new_state_hash=after,
    )


def test_chain_that_ends_with_stopped_is_closed() -> None:
    emitter, chain = Emitter("e"), EmitterChain("e")
    chain.follow(emit(emitter))
    chain.follow(emit(emitter, stopped(2)))
    assert chain.head.is_closed
    assert chain.head.count == 2


def test_chain_without_stopped_is_open() -> None:
    chain = EmitterChain("e")
    chain.follow(emit(Emitter("e")))
    assert not chain.head.is_closed


def test_final_count_that_disagrees_leaves_the_chain_open() -> None:
    chain = EmitterChain("e")
    chain.follow(emit(Emitter("e"), stopped(5)))
    assert not chain.head.is_closed


def test_event_after_the_end_breaks_the_chain() -> None:
    emitter, chain = Emitter("e"), EmitterChain("e")
    chain.follow(emit(emitter, stopped(1)))
    with pytest.raises(ChainBrokenError):
        chain.follow(emit(emitter))


def test_event_of_another_emitter_breaks_the_chain() -> None:
    with pytest.raises(ChainBrokenError, match="expected e, found f"):
        EmitterChain("e").follow(emit(Emitter("f")))


def test_missing_event_is_named_by_number_and_place() -> None:
    emitter, chain = Emitter("e"), EmitterChain("e")
    emit(emitter)
    with pytest.raises(ChainBrokenError, match="sequence 9: expected number 1, found number 2"):
        chain.follow(emit(emitter), sequence=9)


def test_later_events_may_link_to_what_a_tombstone_stands_for() -> None:
    emitter, chain = Emitter("e"), EmitterChain("e")
    refused = emit(emitter)
    later = emit(emitter)
    stone = make_tombstone(Outgoing(subject="s", payload=refused, event_id="x"), "too large")
    assert stone is not None
    chain.follow(stone.payload)
    chain.follow(later)
    assert chain.head.count == 2


def test_states_follow_each_other() -> None:
    chain = StateChain("a")
    for payload in (change("", "1"), change("1", "2"), change("2", "")):
        chain.follow(payload)  # type: ignore[arg-type]
    assert chain.state_hash == ""


def test_change_made_outside_breaks_the_states_once() -> None:
    chain = StateChain("a", "1")
    with pytest.raises(ChainBrokenError, match="expected 1, found 7"):
        chain.follow(change("7", "8"), sequence=3)  # type: ignore[arg-type]
    chain.follow(change("8", "9"))  # type: ignore[arg-type]


def test_states_of_an_unknown_past_begin_anywhere() -> None:
    chain = StateChain("a")
    chain.follow(change("7", "8"))  # type: ignore[arg-type]
    assert chain.state_hash == "8"
