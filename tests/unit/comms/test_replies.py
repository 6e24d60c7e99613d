"""What acks mean."""

import pytest

from nervous_system.comms.replies import Refusal, Stored, parse_reply, refused_subject


def test_ack_of_a_single_says_where_it_is() -> None:
    assert parse_reply(b'{"stream":"S","seq":7}', None) == Stored("S", 7, False, 0)


def test_ack_of_a_repeat_says_so() -> None:
    assert parse_reply(b'{"stream":"S","seq":7,"duplicate":true}', None) == Stored("S", 7, True, 0)


def test_ack_of_a_batch_counts_its_messages() -> None:
    assert parse_reply(b'{"stream":"S","seq":9,"batch":"b","count":3}', None) == (
        Stored("S", 9, False, 3)
    )


@pytest.mark.parametrize(
    ("code", "err_code", "is_final"),
    [(400, 10054, True), (503, 10077, False), (500, 10047, False), (400, 10201, True)],
)
def test_class_of_an_error_decides_whether_it_is_final(
    code: int, err_code: int, is_final: bool
) -> None:
    answer = b'{"error":{"code":%d,"err_code":%d,"description":"d"}}' % (code, err_code)
    assert parse_reply(answer, None) == Refusal(err_code, "d", is_final)


def test_nobody_there_is_passing_trouble() -> None:
    reply = parse_reply(b"", b"NATS/1.0 503\r\n\r\n")
    assert isinstance(reply, Refusal)
    assert not reply.is_final


def test_unreadable_ack_is_passing_trouble() -> None:
    reply = parse_reply(b"\xff{", None)
    assert isinstance(reply, Refusal)
    assert not reply.is_final


def test_permission_violation_names_its_subject() -> None:
    message = "'permissions violation for publish to \"swarm.events.a\"'"
    assert refused_subject(message) == "swarm.events.a"


@pytest.mark.parametrize(
    "message", ["'permissions violation for subscription to \"a\"'", "'other'", 'publish to "a']
)
def test_other_errors_name_no_subject_of_a_publish(message: str) -> None:
    assert refused_subject(message) is None
