"""Protocol bytes, checked against what the protocol's grammar says of them."""

import re

import pytest

from nervous_system.comms.contracts import Outgoing
from nervous_system.comms.frames import (
    batch_frames,
    encode_headers,
    encode_subject,
    single_frame,
)
from nervous_system.errors import InvalidEventError

HPUB = re.compile(rb"HPUB (\S+)(?: (\S+))? (\d+) (\d+)\r\n")


def parse(frames: bytes) -> list[tuple[bytes, bytes, list[bytes], bytes]]:
    """Return subject, reply, header lines and payload of each publish, cut by the stated sizes."""
    found = []
    position = 0
    while position < len(frames):
        match = HPUB.match(frames, position)
        assert match is not None
        subject, reply, header_size, total_size = match.groups()
        middle = match.end() + int(header_size)
        end = match.end() + int(total_size)
        header = frames[match.end() : middle]
        assert header.startswith(b"NATS/1.0\r\n")
        assert header.endswith(b"\r\n\r\n")
        assert frames[end : end + 2] == b"\r\n"
        found.append((subject, reply or b"", header[10:-4].split(b"\r\n"), frames[middle:end]))
        position = end + 2
    return found


def test_single_frame_states_its_sizes() -> None:
    frame = single_frame(b"a.b", b"K: v\r\n", b"payload", b"_INBOX.x.1")
    assert parse(frame) == [(b"a.b", b"_INBOX.x.1", [b"K: v"], b"payload")]


def test_single_frame_may_be_empty() -> None:
    assert parse(single_frame(b"a", b"K: v\r\n", b"", b"r"))[0][3] == b""


@pytest.mark.parametrize("count", [2, 9, 10, 100, 1000])
def test_batch_numbers_its_messages_and_only_the_last_commits(count: int) -> None:
    messages = [(b"s.%d" % number, b"K: v\r\n", b"p" * number) for number in range(count)]
    found = parse(batch_frames(messages, b"id", count, b"reply"))
    assert [one[0] for one in found] == [one[0] for one in messages]
    assert [one[3] for one in found] == [one[2] for one in messages]
    numbers = [b"Nats-Batch-Sequence: %d" % number for number in range(1, count + 1)]
    assert [one[2][2] for one in found] == numbers
    assert {one[2][1] for one in found} == {b"Nats-Batch-Id: id"}
    assert [one[1] for one in found] == [b""] * (count - 1) + [b"reply"]
    assert [b"Nats-Batch-Commit: 1" in one[2] for one in found] == [False] * (count - 1) + [True]


def test_batch_in_parts_is_the_same_batch() -> None:
    messages = [(b"s.%d" % number, b"K: v\r\n", b"p" * number) for number in range(12)]
    parts = [
        batch_frames(messages[:1], b"id", 0, b"reply"),
        batch_frames(messages[1:5], b"id", 0, b"reply", 2),
        batch_frames(messages[5:], b"id", 12, b"reply", 6),
    ]
    assert b"".join(parts) == batch_frames(messages, b"id", 12, b"reply")


def test_headers_name_the_event_and_its_emitter() -> None:
    outgoing = Outgoing(
        subject="a",
        payload=b"",
        event_id="id",
        emitter_id="e",
        emitter_seq=3,
        headers={"traceparent": "t"},
    )
    assert encode_headers(outgoing) == (
        b"Nats-Msg-Id: id\r\nSwarm-Emitter: e:3\r\ntraceparent: t\r\n"
    )


@pytest.mark.parametrize("value", ["a\r\nb", "a\nb", "a\rb"])
@pytest.mark.parametrize("place", ["event_id", "emitter_id", "header"])
def test_line_break_in_a_header_is_refused(value: str, place: str) -> None:
    outgoing = Outgoing(
        subject="a",
        payload=b"",
        event_id=value if place == "event_id" else "id",
        emitter_id=value if place == "emitter_id" else "e",
        headers={"traceparent": value} if place == "header" else {},
    )
    with pytest.raises(InvalidEventError):
        encode_headers(outgoing)


@pytest.mark.parametrize(
    "subject", ["", "a..b", ".a", "a.", "a b", "a\tb", "a.*", "a.>", "a\r\nb", "a" * 3001]
)
def test_subject_that_cannot_be_published_on_is_refused(subject: str) -> None:
    with pytest.raises(InvalidEventError, match="subject"):
        encode_subject(subject)


def test_headers_that_the_server_would_refuse_are_refused() -> None:
    outgoing = Outgoing(subject="a", payload=b"", event_id="id", headers={"k": "v" * 60_000})
    with pytest.raises(InvalidEventError, match="at most"):
        encode_headers(outgoing)


def test_escaped_tokens_are_subjects() -> None:
    assert encode_subject("swarm.events.coder.decision.%41%20") == (
        b"swarm.events.coder.decision.%41%20"
    )
