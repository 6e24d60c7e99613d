from hashlib import sha256

from nervous_system import events
from nervous_system.comms.contracts import Outgoing
from nervous_system.emitter import Emitter, make_tombstone
from nervous_system.schemas import SwarmEvent


def take(emitter: Emitter, text: str = "why") -> bytes:
    event = events.build(events.decision(rationale=text), role="coder", agent_id="A")
    event.MergeFromString(emitter.link())
    raw = events.encode(event)
    emitter.taken(raw)
    return raw


def test_numbers_begin_with_1_and_have_no_gap() -> None:
    emitter = Emitter("e")
    taken = [events.decode(take(emitter)).emitter_seq for _ in range(3)]
    assert taken == [1, 2, 3]


def test_first_event_links_to_nothing_and_the_next_to_it() -> None:
    emitter = Emitter("e")
    first = take(emitter)
    second = take(emitter)
    assert events.decode(first).previous_digest == b""
    assert events.decode(second).previous_digest == sha256(first).digest()


def test_event_that_is_only_linked_leaves_no_gap() -> None:
    emitter = Emitter("e")
    emitter.link()
    assert events.decode(take(emitter)).emitter_seq == 1


def test_withdrawn_number_is_given_again_with_the_same_link() -> None:
    emitter = Emitter("e")
    first = take(emitter)
    take(emitter)
    assert emitter.withdraw(2)
    again = events.decode(take(emitter))
    assert (again.emitter_seq, again.previous_digest) == (2, sha256(first).digest())


def test_first_event_can_be_withdrawn() -> None:
    emitter = Emitter("e")
    take(emitter)
    assert emitter.withdraw(1)
    assert events.decode(take(emitter)).previous_digest == b""


def test_number_that_others_followed_cannot_be_withdrawn() -> None:
    emitter = Emitter("e")
    take(emitter)
    take(emitter)
    assert not emitter.withdraw(1)


def test_two_numbers_in_a_row_cannot_be_withdrawn() -> None:
    emitter = Emitter("e")
    for _ in range(3):
        take(emitter)
    assert emitter.withdraw(3)
    assert not emitter.withdraw(2)


def outgoing(raw: bytes) -> Outgoing:
    return Outgoing(subject="s", payload=raw, event_id="x", headers={"traceparent": "00-a"})


def test_tombstone_takes_number_and_link_and_names_what_it_stands_for() -> None:
    emitter = Emitter("e")
    take(emitter)
    refused = take(emitter)
    stone = make_tombstone(outgoing(refused), "too large")
    assert stone is not None
    event = SwarmEvent.FromString(stone.payload)
    assert (event.emitter_id, event.emitter_seq) == ("e", 2)
    assert event.previous_digest == events.decode(refused).previous_digest
    assert event.tombstone.refused_digest == sha256(refused).hexdigest()
    assert event.tombstone.refused_kind == "decision"
    assert event.tombstone.refused_size_bytes == len(refused)
    assert stone.subject == "swarm.events.coder.tombstone.%41"


def test_tombstone_has_an_id_of_its_own() -> None:
    refused = take(Emitter("e"))
    stone = make_tombstone(outgoing(refused), "no")
    assert stone is not None
    assert stone.event_id != events.decode(refused).event_id
    assert stone.event_id == events.decode(stone.payload).event_id


def test_event_without_a_number_gets_no_tombstone() -> None:
    raw = events.encode(events.build(events.decision()))
    assert make_tombstone(outgoing(raw), "no") is None


def test_bytes_that_are_no_event_get_no_tombstone() -> None:
    assert make_tombstone(outgoing(b"\xff"), "no") is None
