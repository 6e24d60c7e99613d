"""Whatever is changed, dropped, doubled or swapped in an emitter's events, the chain shows it."""

from datetime import UTC, datetime

from hypothesis import assume, given
from hypothesis import strategies as st

from nervous_system import events
from nervous_system.chains import ChainHead, EmitterChain
from nervous_system.emitter import Emitter
from nervous_system.errors import EventError

lengths = st.integers(2, 8)
EMITTER = "01939f2c-0000-7000-8000-000000000001"
ID = "01939f2c-7b1e-7c3a-9d52-0a6f3f7be0{:02x}"
MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC)


def emit_all(length: int) -> list[bytes]:
    emitter = Emitter(EMITTER)
    raws = []
    for number in range(1, length + 1):
        is_last = number == length
        payload: events.Payload = (
            events.system_signal("STOPPED", final_count=length)
            if is_last
            else events.decision(rationale=f"reason {number}")
        )
        event = events.build(payload, agent_id="a", event_id=ID.format(number), at=MOMENT)
        event.MergeFromString(emitter.link())
        raws.append(events.encode(event))
        emitter.taken(raws[-1])
    return raws


def follow_all(raws: list[bytes]) -> ChainHead | None:
    """Return the head; None where the chain breaks."""
    chain = EmitterChain(EMITTER)
    try:
        for raw in raws:
            chain.follow(raw)
    except EventError:
        return None
    return chain.head


@given(lengths)
def test_untouched_chain_is_whole_and_closed(length: int) -> None:
    head = follow_all(emit_all(length))
    assert head is not None
    assert (head.count, head.is_closed) == (length, True)


@given(lengths, st.data())
def test_single_change_shows(length: int, data: st.DataObject) -> None:
    raws = emit_all(length)
    whole = follow_all(raws)
    place = data.draw(st.integers(0, length - 1))
    changed = bytearray(raws[place])
    position = data.draw(st.integers(0, len(changed) - 1))
    changed[position] ^= data.draw(st.integers(1, 255))
    raws[place] = bytes(changed)
    found = follow_all(raws)
    assert found != whole
    assert found is None or place == length - 1


@given(lengths, st.data())
def test_single_drop_shows(length: int, data: st.DataObject) -> None:
    raws = emit_all(length)
    del raws[data.draw(st.integers(0, length - 1))]
    head = follow_all(raws)
    assert head is None or not head.is_closed


@given(lengths, st.data())
def test_single_doubling_shows(length: int, data: st.DataObject) -> None:
    raws = emit_all(length)
    place = data.draw(st.integers(0, length - 1))
    raws.insert(place, raws[place])
    assert follow_all(raws) is None


@given(lengths, st.data())
def test_single_swap_shows(length: int, data: st.DataObject) -> None:
    raws = emit_all(length)
    one = data.draw(st.integers(0, length - 1))
    other = data.draw(st.integers(0, length - 1))
    assume(one != other)
    raws[one], raws[other] = raws[other], raws[one]
    assert follow_all(raws) is None
