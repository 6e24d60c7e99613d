"""Messages that are no events, or odd ones, through the `publisher` user of a running stack.

Whatever arrives becomes one row, with the bytes as received; nothing stops what comes behind it.
"""

import asyncio
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any
from urllib.parse import urlsplit

import nats
import pytest

from nervous_system.errors import EventDecodeError
from nervous_system.events import decode, kind_of
from nervous_system.schemas import SwarmEvent
from tests.support.builders import build_decision, build_event, build_signal, build_state_change
from tests.support.chaos import choose_seed
from tests.support.stacks import Stack, running_stack

SUBJECT = "swarm.events.coder.decision"
MAX_PAYLOAD_BYTES = 8 * 1024 * 1024
COUNT = 600


@dataclass(frozen=True, slots=True)
class Sent:
    """A message as it was acknowledged."""

    sequence: int
    raw: bytes


@pytest.fixture(scope="module")
def open_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One stack for all of this file: what a test sends must not harm the next."""
    with running_stack(tmp_path_factory.mktemp("garbage") / "home") as stack:
        yield stack


@pytest.mark.timeout(120)
def test_every_odd_message_is_one_row_and_its_neighbours_are_intact(open_stack: Stack) -> None:
    """Noise, cut and mutated events, wrong UTF-8, absurd times, newer kinds, bad ids."""
    random = Random(choose_seed())
    messages = [raw for _ in range(COUNT // 2) for raw in (valid(random), odd(random))]
    sent = send(open_stack, messages)
    rows = {int(row["stream_seq"]): row for row in read_rows(open_stack, sent)}
    assert len(rows) == len(sent)
    assert {sequence: bytes.fromhex(row["raw"]) for sequence, row in rows.items()} == {
        one.sequence: one.raw for one in sent
    }
    for one in sent:
        row = rows[one.sequence]
        assert (row["kind"], row["event_id"]) == expected(one.raw), one.raw.hex()
        assert bool(row["undecodable_reason"]) == (row["kind"] == "undecodable")


@pytest.mark.timeout(120)
def test_quarantine_lists_what_was_no_event_and_verify_agrees(open_stack: Stack) -> None:
    """With its sequence; the others are not in it."""
    random = Random(choose_seed())
    sent = send(open_stack, [raw for _ in range(50) for raw in (valid(random), noise(random))])
    listed = open_stack.json("quarantine", "ls", "--limit", "0")
    listed_sequences = {int(row["stream_seq"]) for row in listed}
    for one in sent:
        is_bad = expected(one.raw)[0] == "undecodable"
        assert (one.sequence in listed_sequences) == is_bad, one.raw.hex()
    report = open_stack.json("verify")
    assert report["ok"], report["problems"][:3]


@pytest.mark.timeout(120)
def test_payload_at_the_limit_is_kept_and_over_it_refused(open_stack: Stack) -> None:
    """The server ends the connection that sends too much; the stream gets nothing of it."""
    random = Random(choose_seed())
    largest = random.randbytes(MAX_PAYLOAD_BYTES)
    event = build_event(build_decision(rationale="x" * (MAX_PAYLOAD_BYTES - 2000)))
    sent = send(open_stack, [valid(random), largest, event.SerializeToString(), valid(random)])
    answer = asyncio.run(send_oversize(open_stack))
    assert b"Maximum Payload Violation" in answer
    after = send(open_stack, [valid(random)])
    assert after[0].sequence == sent[-1].sequence + 1
    rows = read_rows(open_stack, [*sent, *after])
    assert [row["kind"] for row in rows] == [expected(one.raw)[0] for one in (*sent, *after)]
    assert rows[1]["kind"] == "undecodable"
    assert [len(row["raw"]) // 2 for row in rows[1:3]] == [len(sent[1].raw), len(sent[2].raw)]


def test_odd_messages_do_not_reach_the_views_of_good_ones(open_stack: Stack) -> None:
    """Undecodable ones are dead letters; unknown kinds are in no payload's view."""
    [one] = send(open_stack, [with_unknown_kind(Random(choose_seed()))])
    [row] = read_rows(open_stack, [one])
    assert row["kind"] == "unknown"
    for view in ("decisions", "state_changes", "signals", "dead_letters"):
        query = f"select count() as n from swarm.{view} where stream_seq = {one.sequence}"
        assert int(open_stack.sql(query)[0]["n"]) == 0, view


# --- messages --------------------------------------------------------------------------------


def valid(random: Random) -> bytes:
    """An event as the SDK would make it."""
    payload = random.choice((build_decision(), build_state_change(), build_signal()))
    return build_event(
        payload, event_id=str(uuid.UUID(int=random.getrandbits(128)))
    ).SerializeToString()


def odd(random: Random) -> bytes:
    """Something that no publisher should send."""
    makers = (noise, cut, flipped, wrong_text, absurd_time, with_unknown_kind, unknown_enum)
    return random.choice((*makers, two_branches, bad_id, empty))(random)


def noise(random: Random) -> bytes:
    return random.randbytes(random.randint(1, 300))


def cut(random: Random) -> bytes:
    raw = valid(random)
    return raw[: random.randrange(len(raw))]


def flipped(random: Random) -> bytes:
    raw = bytearray(valid(random))
    for _ in range(random.randint(1, 4)):
        raw[random.randrange(len(raw))] ^= 1 << random.randrange(8)
    return bytes(raw)


def wrong_text(random: Random) -> bytes:
    """A string field of bytes that are no UTF-8: field 6, the agent's id."""
    return valid(random) + b"\x32\x04\xff\xfe\xc3\x28"


def absurd_time(random: Random) -> bytes:
    event = SwarmEvent.FromString(valid(random))
    event.timestamp.seconds = random.choice((-(2**62), 2**62, 253402300799, 32503680000, -1))
    event.timestamp.nanos = random.choice((-1, 0, 999_999_999, 2**31 - 1))
    return event.SerializeToString()


def with_unknown_kind(random: Random) -> bytes:
    """A payload of number 77, from a schema to come."""
    event = SwarmEvent.FromString(valid(random))
    event.ClearField(event.WhichOneof("payload") or "decision")
    return event.SerializeToString() + b"\xea\x04\x03abc"


def unknown_enum(random: Random) -> bytes:
    """A role of number 99."""
    return valid(random) + b"\x28\x63"


def two_branches(random: Random) -> bytes:
    return valid(random) + SwarmEvent(system_signal=build_signal()).SerializeToString()


def bad_id(random: Random) -> bytes:
    event = SwarmEvent.FromString(valid(random))
    event.event_id = random.choice(("", "no uuid", "0" * 36, "é" * 18, event.event_id[:-1]))
    return event.SerializeToString()


def empty(_random: Random) -> bytes:
    return b""


def expected(raw: bytes) -> tuple[str, str]:
    """Return kind and event id as Python reads them."""
    try:
        event = decode(raw)
    except EventDecodeError:
        return "undecodable", str(uuid.UUID(int=0))
    return kind_of(event), str(uuid.UUID(event.event_id))


# --- the stack -------------------------------------------------------------------------------


def send(stack: Stack, messages: Sequence[bytes]) -> list[Sent]:
    """Publish as a plain program does; return what was acknowledged, in the order of sending."""

    async def publish_all() -> list[int]:
        client = await nats.connect(stack.record["publisher_nats_url"])
        try:
            jetstream = client.jetstream()
            acks = [await jetstream.publish(SUBJECT, raw, timeout=20) for raw in messages]
            return [ack.seq for ack in acks]
        finally:
            await client.close()

    sequences = asyncio.run(publish_all())
    return [Sent(*pair) for pair in zip(sequences, messages, strict=True)]


async def send_oversize(stack: Stack) -> bytes:
    """Send one byte too many past the driver, which would not; return what the server says."""
    parts = urlsplit(stack.record["publisher_nats_url"])
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        connect = f'CONNECT {{"user":"{parts.username}","pass":"{parts.password}","verbose":false}}'
        writer.write(f"{connect}\r\nPUB {SUBJECT} {MAX_PAYLOAD_BYTES + 1}\r\n".encode())
        async with asyncio.timeout(20):
            return await reader.read()
    finally:
        writer.close()


def read_rows(stack: Stack, sent: Sequence[Sent]) -> list[dict[str, Any]]:
    """Return the rows of these messages, in order."""
    numbers = ", ".join(str(one.sequence) for one in sent)
    return stack.sql(
        "select stream_seq, kind, event_id, undecodable_reason, hex(raw) as raw from swarm.events "
        f"where stream_seq in ({numbers}) order by stream_seq"
    )
