"""A dispatcher against a connection that records what is written and answers when it is told to."""

import asyncio
import itertools
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from nervous_system.comms.contracts import Outgoing
from nervous_system.comms.dispatch import AHEAD_COUNT, Dispatcher
from nervous_system.comms.entry import CommitLimits, Entry
from nervous_system.comms.replies import Refusal, Stored

if TYPE_CHECKING:
    from nervous_system.comms.connection import AckHandler, BusClient

MANY = 20
"""Enough for an atomic batch."""


class RecordingClient:
    """The part of a connection that a dispatcher uses."""

    max_payload = 100_000
    reply_prefix = b"_INBOX.me."

    def __init__(self) -> None:
        self.acks: dict[bytes, AckHandler] = {}
        self.written: list[bytes] = []
        self._sequences = itertools.count(1_000, 1_000)

    def new_inbox(self) -> str:
        return "_INBOX.batches"

    def write_frames(self, frames: bytes) -> None:
        self.written.append(frames)

    def answer(self) -> None:
        """Ack all that waits for an ack."""
        for token in tuple(self.acks):
            sequence = next(self._sequences)
            self.acks.pop(token)(token, b'{"stream":"S","seq":%d}' % sequence, None)

    def numbers(self) -> list[list[int]]:
        """Return the numbers within a batch in each write; 0: no member of one."""
        return [
            [number_in_batch(one) for one in write.split(b"HPUB ")[1:]] for write in self.written
        ]


def number_in_batch(frame: bytes) -> int:
    found = re.search(rb"Nats-Batch-Sequence: (\d+)", frame)
    return int(found[1]) if found else 0


class RecordingOwner:
    """Whoever is told the outcomes."""

    def __init__(self) -> None:
        self.stored: list[str] = []
        self.refused: list[str] = []

    def note_stored(self, entries: Sequence[Entry], stored: Stored) -> None:
        self.stored += [entry.outgoing.event_id for entry in entries]

    def replace_refused(self, entry: Entry, refusal: Refusal) -> Entry | None:
        self.refused.append(entry.outgoing.event_id)
        return None

    def note_round(self) -> None: ...

    def note_time_matters(self) -> None: ...

    def look_up(self, entries: list[Entry]) -> None: ...


class Rig:
    """A connected dispatcher that has just had a batch acked, by default of MANY lanes."""

    def __init__(self) -> None:
        self.client = RecordingClient()
        self.owner = RecordingOwner()
        self.dispatcher = Dispatcher(cast("BusClient", self.client), CommitLimits(), self.owner)

    async def start(self, *lanes: str) -> "Rig":
        self.dispatcher.connected()
        await self.add(*(lanes or map(str, range(MANY))))
        self.client.answer()
        self.client.written.clear()
        self.owner.stored.clear()
        return self

    def say(self, *lanes: str, payload: bytes = b"x", name: str = "new") -> None:
        """Add an event to each of these lanes."""
        for lane in lanes:
            self.dispatcher.add(
                Entry(
                    Outgoing(
                        subject="s", payload=payload, event_id=f"{name}-{lane}", emitter_id=lane
                    )
                )
            )

    async def add(self, *lanes: str) -> None:
        self.say(*lanes)
        await asyncio.sleep(0)


async def test_first_event_that_follows_a_batch_is_sent_ahead_of_the_others() -> None:
    rig = await Rig().start()
    rig.say("1", "2")
    assert rig.client.numbers() == [[1]]
    await rig.add("3")
    assert rig.client.numbers() == [[1], [2, 3]]
    rig.client.answer()
    assert rig.owner.stored == ["new-1", "new-2", "new-3"]


async def test_batch_that_was_opened_takes_the_rest_of_its_lane_and_keeps_its_order() -> None:
    rig = await Rig().start()
    rig.say("1", "1")
    await rig.add("2", "1")
    rig.client.answer()
    assert rig.owner.stored == ["new-1", "new-1", "new-1", "new-2"]


async def test_more_events_are_sent_on_while_their_batch_is_open() -> None:
    rig = await Rig().start()
    lanes = [str(lane) for lane in range(2 * AHEAD_COUNT + 5)]
    await rig.add(*lanes)
    numbers = rig.client.numbers()
    assert [one for part in numbers for one in part] == list(range(1, len(lanes) + 1))
    assert [len(part) for part in numbers] == [1, AHEAD_COUNT, AHEAD_COUNT, 4]
    rig.client.answer()
    assert rig.owner.stored == [f"new-{lane}" for lane in lanes]


async def test_caller_that_comes_back_alone_is_not_delayed_by_a_batch() -> None:
    rig = await Rig().start()
    await rig.add("1")
    assert rig.client.numbers() == [[0]]


async def test_callers_that_come_later_than_those_released_open_nothing() -> None:
    rig = await Rig().start()
    await asyncio.sleep(0)
    rig.say("1", "2")
    assert rig.client.written == []


async def test_as_many_events_as_go_one_by_one_open_nothing() -> None:
    rig = await Rig().start(*["1"] * 8)  # of one lane these are a batch, of others they are not
    rig.say("1", "2")
    assert rig.client.written == []


async def test_connection_that_breaks_while_a_batch_is_open_loses_nothing() -> None:
    rig = await Rig().start()
    rig.say("1", "2")
    rig.dispatcher.disconnected()
    await rig.add("3")
    rig.client.acks.clear()
    rig.dispatcher.connected()
    for _ in range(4):
        await asyncio.sleep(0)
        rig.client.answer()
    assert sorted(rig.owner.stored) == ["new-1", "new-2", "new-3"]


async def test_event_that_is_too_large_for_an_open_batch_is_refused_alone() -> None:
    rig = await Rig().start()
    rig.say("1", "2")
    rig.say("1", name="second")
    rig.say("1", payload=bytes(200_000), name="large")
    rig.say("1", name="last")
    for _ in range(6):
        await asyncio.sleep(0)
        rig.client.answer()
    of_lane = [one for one in rig.owner.stored if one != "new-2"]
    assert (of_lane, rig.owner.refused) == (["new-1", "second-1", "last-1"], ["large-1"])
