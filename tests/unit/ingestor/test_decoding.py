import pytest

from cortex.cli.event_view import payload_columns
from infrastructure.ingestor.decoding import (
    NOT_A_UUID,
    NOT_PROTOBUF,
    REFUSED,
    all_uuids,
    decode,
    decode_columns,
    is_authenticated,
)
from nervous_system.subjects import KINDS
from tests.support.builders import build_event


def test_an_event_keeps_its_kind_and_number() -> None:
    event = build_event(emitter_id="e", emitter_seq=3)
    found = decode([event.SerializeToString()])
    assert (found.kinds, found.agents, found.numbered) == (["decision"], ["coder-1"], [(0, "e", 3)])


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"\xff\xff", NOT_PROTOBUF),
        (b"", NOT_A_UUID),
        (build_event(event_id="nonsense").SerializeToString(), NOT_A_UUID),
    ],
)
def test_what_is_not_valid_is_told_with_its_reason(raw: bytes, reason: str) -> None:
    found = decode([raw])
    assert (found.kinds, found.reasons, found.canonical) == (["undecodable"], {0: reason}, [b""])


def test_a_message_that_the_engine_refused_is_undecodable_and_unnumbered() -> None:
    raw = build_event(emitter_id="e", emitter_seq=3).SerializeToString()
    found = decode([raw, raw], {1})
    assert found.kinds == ["decision", "undecodable"]
    assert found.reasons == {1: REFUSED}
    assert found.numbered == [(0, "e", 3)]


def test_fields_of_newer_schemas_do_not_reach_the_engine() -> None:
    raw = build_event().SerializeToString()
    assert decode([raw + b"\x9a\x06\x02hi"]).canonical == decode([raw]).canonical


def test_a_message_in_odd_form_changes_nothing_for_its_neighbours() -> None:
    plain = build_event(emitter_id="e", emitter_seq=1).SerializeToString()
    numbered_twice = plain + b"\xb0\x06\x85\x80\x00"
    found = decode([plain, numbered_twice, plain])
    assert found.canonical[0] == found.canonical[2] == plain
    assert found.canonical[1] == decode([numbered_twice]).canonical[0] != numbered_twice
    assert found.kinds == ["decision"] * 3


@pytest.mark.parametrize(
    ("subject", "agent_id", "expected"),
    [
        (b"swarm.events.coder.decision.coder-1", "coder-1", True),
        (b"swarm.events.coder.decision.coder-2", "coder-1", False),
        (b"swarm.events.coder.decision", "coder-1", False),
        (b"swarm.events.coder.decision.a%2Eb", "a.b", True),
        (b"swarm.events.coder.coder-1", "coder-1", False),
        (b"swarm.events.coder.decision.x", "x" * 5_000, False),
    ],
)
def test_only_a_subject_with_the_agents_token_vouches(
    subject: bytes, agent_id: str, expected: bool
) -> None:
    assert is_authenticated(subject, agent_id) is expected


def test_the_decode_expression_is_the_views_own() -> None:
    text = decode_columns()
    assert text.startswith("with")
    assert text.endswith("ledger_count")
    assert "throwIf" not in text
    for kind in KINDS:
        assert [name for name in payload_columns(kind) if f" as {name},\n" not in text] == []


@pytest.mark.parametrize(
    "text",
    [
        "0e02b2c3-58cc-4372-a567-0e02b2c3d47",
        "0e02b2c358cc-4372-a567-0e02b2c3d479-",
        "0e02b2c3-58cc-4372-a567-0e02b2c3d47g",
        "0e02b2c3-58cc-4372-a567-0e02b2c3d4 9",
        "0e02b2c3-58cc-4372-a567-0e02b2c3d4\u0661\u0662",
        "",
    ],
)
def test_one_odd_id_among_others_is_found(text: str) -> None:
    good = "0E02B2C3-58cc-4372-a567-0e02b2c3d479"
    assert all_uuids([good, good])
    assert not all_uuids([good, text, good])


def test_lengths_that_cancel_out_are_not_taken_for_ids() -> None:
    good = "0e02b2c3-58cc-4372-a567-0e02b2c3d479"
    assert not all_uuids([good[:-1], good + "0"])
    found = decode([build_event(event_id=one).SerializeToString() for one in (good[:-1], good)])
    assert found.reasons == {0: NOT_A_UUID}


def test_ids_that_come_out_even_only_together_are_none() -> None:
    good = "0e02b2c3-58cc-4372-a567-0e02b2c3d479"
    ids = [good[:-1], "0" + good]
    assert not all_uuids(ids)
    found = decode([build_event(event_id=one).SerializeToString() for one in ids])
    assert found.reasons == {0: NOT_A_UUID, 1: NOT_A_UUID}
