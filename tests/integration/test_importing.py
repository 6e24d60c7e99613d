"""An archive onto a real bus: once, in order, and further where it stopped."""

from collections.abc import Iterator, Sequence
from hashlib import sha256

import pytest

from infrastructure.errors import ArchiveError
from infrastructure.history.archive import (
    ArchivedStream,
    EventRecord,
    Header,
    Record,
    completed,
)
from infrastructure.history.exporting import PIECE_BYTES, blob_records
from infrastructure.history.importing import (
    ImportProgress,
    begin_import,
    import_records,
    message_id,
    parse_message_id,
)
from nervous_system.comms.frames import MESSAGE_ID_HEADER
from nervous_system.comms.open import Bus, open_bus
from nervous_system.comms.streams import declare_content_bucket, declare_streams, swarm_streams
from nervous_system.config import BusConfig

STREAM = "ENCHANTED_SWARM"
IDENTITY = f"{STREAM}@2026-01-01T00:00:00.000001Z"
CONTENT = b"x" * (2 * PIECE_BYTES + 1)
COUNT = 2_500


class Target:
    """Implements `TargetStream` on an open bus."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def last_message_id(self, stream: str) -> str | None:
        _, last = await self.bounds(stream)
        if not last:
            return None
        message = await self._bus.js.get_msg(stream, seq=last)
        return str((message.headers or {}).get(MESSAGE_ID_HEADER, ""))

    async def bounds(self, stream: str) -> tuple[int, int]:
        info = await self._bus.js.stream_info(stream)
        return int(info.state.first_seq), int(info.state.last_seq)


def header() -> Header:
    source = ArchivedStream(
        stream=STREAM,
        first_seq=11,
        last_seq=10 + COUNT,
        event_count=COUNT,
        identity=IDENTITY,
        head=f"{STREAM}@{10 + COUNT}:00",
    )
    return Header(exported_at="2026-01-02T00:00:00Z", streams=(source,))


def events() -> list[EventRecord]:
    return [
        EventRecord(
            stream=STREAM,
            sequence=sequence,
            subject=f"swarm.events.coder.decision.{sequence % 3}",
            raw=b"same" if sequence % 2 else sequence.to_bytes(8),
        )
        for sequence in range(11, 11 + COUNT)
    ]


async def run(bus: Bus, records: Iterator[Record]) -> ImportProgress:
    progress = await begin_import(header(), Target(bus))
    await import_records(
        records,
        progress,
        publisher=bus.publisher,
        content=bus.content,
        tell=lambda _: None,
    )
    return progress


async def stored(bus: Bus) -> Sequence[tuple[str, bytes]]:
    return [(one.subject, one.raw) async for one in bus.reader.deliveries()]


async def declare(bus: Bus) -> None:
    await declare_streams(bus.js, swarm_streams(max_bytes=10**9))
    await declare_content_bucket(bus.js, max_bytes=10**8)


async def test_messages_and_contents_arrive_once_and_in_order(nats_url: str) -> None:
    """Equal bytes stay as many messages as they were."""
    expected = [(one.subject, one.raw) for one in events()]
    records: list[Record] = [
        header(),
        *blob_records(sha256(CONTENT).hexdigest(), CONTENT),
        *events(),
    ]
    async with open_bus(BusConfig(url=nats_url)) as bus:
        await declare(bus)
        progress = await run(bus, completed(records))
        assert (progress.event_count, progress.blob_count) == (COUNT, 1)
        assert await stored(bus) == expected
        assert await bus.content.get(sha256(CONTENT).hexdigest()) == CONTENT


@pytest.mark.parametrize(
    "subject", ["swarm.checkpoints.ENCHANTED_SWARM", "swarm.coordination.a.b.c", "$JS.API.INFO"]
)
async def test_message_on_a_subject_of_another_stream_is_refused_before_any_is_published(
    nats_url: str, subject: str
) -> None:
    """Whatever the archive names: the importing user might publish there."""
    forged = EventRecord(stream=STREAM, sequence=12, subject=subject, raw=b"x")
    async with open_bus(BusConfig(url=nats_url)) as bus:
        await declare(bus)
        with pytest.raises(ArchiveError, match="no subject of that stream"):
            await run(bus, iter([header(), events()[0], forged]))
        assert await stored(bus) == []
        assert (await bus.js.stream_info("SWARM_CHECKPOINTS")).state.messages == 0
        assert (await bus.js.stream_info("SWARM_COORDINATION")).state.messages == 0


async def test_message_that_went_to_another_stream_is_told(nats_url: str) -> None:
    """Where the bus does not declare its streams as ours are."""
    async with open_bus(BusConfig(url=nats_url)) as bus:
        await bus.js.add_stream(name=STREAM, subjects=["swarm.tasks.>"])
        await bus.js.add_stream(name="OTHER", subjects=["swarm.events.>"])
        with pytest.raises(ArchiveError, match="belongs to OTHER here"):
            await run(bus, iter([header(), events()[0]]))


async def test_an_import_that_was_interrupted_goes_on_where_it_stopped(nats_url: str) -> None:
    expected = [(one.subject, one.raw) for one in events()]
    async with open_bus(BusConfig(url=nats_url)) as bus:
        await declare(bus)
        await run(bus, iter([header(), *events()[:900]]))
        progress = await run(bus, completed([header(), *events()]))
        assert progress.event_count == COUNT - 900
        assert await stored(bus) == expected


async def test_a_stream_with_messages_of_its_own_is_left_alone(nats_url: str) -> None:
    async with open_bus(BusConfig(url=nats_url)) as bus:
        await declare(bus)
        await bus.js.publish("swarm.events.coder.decision", b"own")
        with pytest.raises(ArchiveError, match="holds messages of its own"):
            await run(bus, completed([header(), *events()]))
        assert len(await stored(bus)) == 1


@pytest.mark.parametrize("text", ["", "import:", "import:x:", "0b5d5d5e", "import:x:1 "])
def test_other_message_ids_are_not_taken_for_imported(text: str) -> None:
    assert parse_message_id(text) is None


def test_message_ids_say_where_a_message_comes_from() -> None:
    assert parse_message_id(message_id(IDENTITY, 7)) == (IDENTITY, 7)
