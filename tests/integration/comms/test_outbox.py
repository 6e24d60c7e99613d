"""The outbox on a real bus and disk: nothing that was handed over is lost, doubled or reordered."""

import asyncio
import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from nervous_system.comms.connection import BusClient
from nervous_system.comms.contracts import Outgoing, Wait
from nervous_system.comms.entry import CommitLimits
from nervous_system.comms.open import Bus, open_bus
from nervous_system.comms.orphans import has_orphans
from nervous_system.comms.outbox import Outbox
from nervous_system.comms.spool import open_spool
from nervous_system.config import BusConfig, SpoolConfig, SpoolPolicy
from nervous_system.errors import (
    BusClosedError,
    PublishRejectedError,
    PublishTimeoutError,
    SpoolFullError,
)
from tests.support.bus import build_life, build_outgoing, declare, numbers_of, pause, read_stream
from tests.support.eventually import eventually
from tests.support.proxy import FaultyLink
from tests.support.servers import NatsServer

MIBIBYTE = 1024 * 1024
IMPATIENT = CommitLimits(ack_timeout=0.3, max_retry_wait=0.1)
PATIENT = CommitLimits(ack_timeout=60)

AGENT = """
import asyncio, sys
from pathlib import Path
from nervous_system.comms.contracts import Wait
from nervous_system.comms.open import open_bus
from nervous_system.config import BusConfig, SpoolConfig
from tests.support.bus import build_outgoing

async def main(url, directory, emitter):
    config = BusConfig(url=url, spool=SpoolConfig(directory=Path(directory)))
    async with open_bus(config) as bus:
        number = 0
        while True:
            number += 1
            wait = Wait.HANDOVER if number % 10 else Wait.ACK_OR_SPOOL
            outgoing = build_outgoing(number, emitter_id=emitter)
            await bus.publisher.submit(outgoing, wait, 0.2)
            print(number, flush=True)
            await asyncio.sleep(0)

asyncio.run(main(*sys.argv[1:]))
"""


@asynccontextmanager
async def opened(
    url: str,
    directory: Path,
    *,
    policy: SpoolPolicy = SpoolPolicy.BLOCK,
    max_bytes: int = 64 * MIBIBYTE,
    close_timeout: float = 5.0,
    limits: CommitLimits = IMPATIENT,
    **options: object,
) -> AsyncIterator[tuple[Bus, Outbox]]:
    config = BusConfig(
        url=url,
        connect_timeout=timedelta(seconds=0.3),
        close_timeout=timedelta(seconds=close_timeout),
        spool=SpoolConfig(directory=directory, policy=policy, max_bytes=max_bytes),
    )
    async with open_bus(config, limits=limits, **options) as bus:  # type: ignore[arg-type]
        assert isinstance(bus.publisher, Outbox)
        yield bus, bus.publisher


async def test_event_handed_over_reaches_the_stream(
    client: BusClient, nats_server: NatsServer, tmp_path: Path
) -> None:
    async with opened(nats_server.url, tmp_path / "spool") as (_, outbox):
        receipt = await outbox.submit(build_outgoing(1, emitter_id="e1"), Wait.HANDOVER, 5)
        assert receipt.spooled
    assert numbers_of(await read_stream(client.jetstream()), "e1") == [1]
    assert list((tmp_path / "spool").iterdir()) == []


async def test_all_ways_to_wait_keep_one_emitters_order(
    client: BusClient, nats_server: NatsServer, tmp_path: Path
) -> None:
    ways = (Wait.HANDOVER, Wait.ACK, Wait.ACK_OR_SPOOL)
    events = build_life("e1", 300)
    async with opened(nats_server.url, tmp_path / "spool") as (_, outbox):
        await asyncio.gather(
            *(outbox.submit(one, ways[number // 7 % 3], 20) for number, one in enumerate(events))
        )
    assert numbers_of(await read_stream(client.jetstream()), "e1") == list(range(1, 301))


async def test_order_holds_while_calls_wait_for_room_with_the_committer(
    client: BusClient, nats_server: NatsServer, tmp_path: Path
) -> None:
    """A call that finds room at once may not overtake one of its emitter that waits for it."""
    ways = (Wait.ACK, Wait.HANDOVER, Wait.ACK_OR_SPOOL)
    limits = CommitLimits(max_waiting=2)
    async with (
        opened(nats_server.url, tmp_path / "spool", limits=limits) as (_, outbox),
        asyncio.TaskGroup() as group,
    ):
        for number, one in enumerate(build_life("e1", 120)):
            group.create_task(outbox.submit(one, ways[number // 5 % 3], 20))
            if number % 4 == 0:
                await asyncio.sleep(0)
    assert numbers_of(await read_stream(client.jetstream()), "e1") == list(range(1, 121))


async def test_call_that_finds_no_room_in_time_leaves_its_event_on_its_way(
    client: BusClient, nats_server: NatsServer, tmp_path: Path
) -> None:
    """It has its number: were it dropped, its emitter would have a gap."""
    limits = CommitLimits(max_waiting=1, ack_timeout=60)
    first, second, third = build_life("e1", 3)
    async with opened(nats_server.url, tmp_path / "spool", limits=limits) as (_, outbox):
        await pause(nats_server)
        early = asyncio.ensure_future(outbox.submit(first, Wait.ACK, 20))
        await eventually(lambda: not outbox._committer.has_room)
        with pytest.raises(PublishTimeoutError):
            await outbox.submit(second, Wait.ACK, 0.2)
        receipt = await outbox.submit(third, Wait.ACK_OR_SPOOL, 0.2)
        assert receipt.spooled
        nats_server.resume()
        assert not (await early).spooled
    assert numbers_of(await read_stream(client.jetstream()), "e1") == [1, 2, 3]


async def test_default_call_without_an_ack_returns_a_spooled_receipt(
    client: BusClient, nats_server: NatsServer, tmp_path: Path
) -> None:
    async with opened(nats_server.url, tmp_path / "spool") as (_, outbox):
        await pause(nats_server)
        receipt = await outbox.submit(build_outgoing(1, emitter_id="e1"), Wait.ACK_OR_SPOOL, 0.2)
        assert (receipt.spooled, receipt.sequence) == (True, None)
        nats_server.resume()
        await eventually(lambda: outbox.spooled_count == 0)
        again = await outbox.submit(build_outgoing(2, emitter_id="e1"), Wait.ACK_OR_SPOOL, 5)
        assert not again.spooled
    assert numbers_of(await read_stream(client.jetstream()), "e1") == [1, 2]


async def test_waiting_call_without_an_ack_raises_and_its_event_stays_on_its_way(
    client: BusClient, nats_server: NatsServer, tmp_path: Path
) -> None:
    async with opened(nats_server.url, tmp_path / "spool") as (_, outbox):
        await pause(nats_server)
        with pytest.raises(PublishTimeoutError):
            await outbox.submit(build_outgoing(1, emitter_id="e1"), Wait.ACK, 0.2)
        await outbox.submit(build_outgoing(2, emitter_id="e1"), Wait.HANDOVER, 0.2)
        nats_server.resume()
    assert numbers_of(await read_stream(client.jetstream()), "e1") == [1, 2]


async def test_events_spooled_while_the_bus_is_away_are_sent_in_order_when_it_returns(
    client: BusClient, link: FaultyLink, tmp_path: Path
) -> None:
    lanes = [build_life(f"e{lane}", 400) for lane in range(5)]
    async with opened(link.url, tmp_path / "spool") as (bus, outbox):
        link.refuses = True
        link.cut()
        await eventually(lambda: not bus.committer.is_connected)
        for group in zip(*lanes, strict=True):
            for one in group:
                assert (await outbox.submit(one, Wait.HANDOVER, 5)).spooled
        link.refuses = False
        await eventually(lambda: outbox.spooled_count == 0)
    stored = await read_stream(client.jetstream())
    for lane in range(5):
        assert numbers_of(stored, f"e{lane}") == list(range(1, 401))


async def test_bus_that_was_never_there_is_used_when_it_comes(
    client: BusClient, link: FaultyLink, tmp_path: Path
) -> None:
    link.refuses = True
    async with opened(link.url, tmp_path / "spool") as (_, outbox):
        receipt = await outbox.submit(build_outgoing(1, emitter_id="e1"), Wait.ACK_OR_SPOOL, 5)
        assert receipt.spooled
        link.refuses = False
        await eventually(lambda: outbox.spooled_count == 0)
    assert numbers_of(await read_stream(client.jetstream()), "e1") == [1]


async def test_what_one_process_leaves_is_sent_by_the_next_in_order(
    client: BusClient, link: FaultyLink, nats_server: NatsServer, tmp_path: Path
) -> None:
    link.refuses = True
    async with opened(link.url, tmp_path / "spool", close_timeout=0.1) as (_, outbox):
        waiting = outbox.submit(build_outgoing(1, emitter_id="e1"), Wait.ACK, 0.1)
        with pytest.raises(PublishTimeoutError):
            await waiting
        for one in build_life("e1", 1500, start=2):
            await outbox.submit(one, Wait.HANDOVER, 5)
    assert not await read_stream(client.jetstream())
    async with opened(nats_server.url, tmp_path / "spool"):
        await eventually(lambda: not list((tmp_path / "spool").glob("*/00000001.seg")))
    assert numbers_of(await read_stream(client.jetstream()), "e1") == list(range(1, 1502))


async def test_damaged_spool_is_sent_as_far_as_it_can_be_read_and_kept(
    client: BusClient, nats_server: NatsServer, tmp_path: Path
) -> None:
    events = build_life("e1", 5)
    root = tmp_path / "spool"
    with open_spool(SpoolConfig(directory=root)) as spool:
        for one in events:
            spool.append(one, 0)
    (segment,) = root.glob("*/*.seg")
    data = bytearray(segment.read_bytes())
    data[data.index(events[2].event_id.encode())] ^= 1
    segment.write_bytes(data)
    async with opened(nats_server.url, root):
        await eventually(lambda: list(root.glob("*.damaged")))
    assert numbers_of(await read_stream(client.jetstream()), "e1") == [1, 2]
    assert [path.read_bytes() for path in root.glob("*.damaged/*.seg")] == [data]
    assert not has_orphans(root)


async def test_adopted_event_that_was_stored_long_ago_is_not_stored_again(
    client: BusClient, link: FaultyLink, nats_server: NatsServer, tmp_path: Path
) -> None:
    """The duplicate window is 100 ms here; only asking the stream can tell."""
    jetstream = client.jetstream()
    config = (await jetstream.stream_info("ENCHANTED_SWARM")).config
    await jetstream.update_stream(config.evolve(duplicate_window=0.1))
    events = build_life("e1", 100)
    spool = tmp_path / "spool"
    async with opened(link.url, spool, close_timeout=0.1, limits=PATIENT) as (_, outbox):
        link.swallows_answers = True
        for one in events:
            await outbox.submit(one, Wait.HANDOVER, 5)
        await eventually(lambda: _has_messages(client, 100))
    await eventually(lambda: _is_forgotten(client, events[-1]))
    async with opened(nats_server.url, tmp_path / "spool"):
        await eventually(lambda: not list((tmp_path / "spool").glob("*/00000001.seg")))
    assert numbers_of(await read_stream(jetstream), "e1") == list(range(1, 101))


async def test_event_spooled_after_it_was_stored_unseen_is_not_stored_again(
    client: BusClient, link: FaultyLink, nats_server: NatsServer, tmp_path: Path
) -> None:
    """It lies below sequences that were acked before it was spooled; the lookup must reach it."""
    jetstream = client.jetstream()
    config = (await jetstream.stream_info("ENCHANTED_SWARM")).config
    await jetstream.update_stream(config.evolve(duplicate_window=0.1))
    late = build_outgoing(1, emitter_id="late")
    others = build_life("other", 5)
    spool = tmp_path / "spool"
    async with opened(link.url, spool, close_timeout=0.1, limits=PATIENT) as (_, outbox):
        link.swallows_answers = True
        waiting = asyncio.ensure_future(outbox.submit(late, Wait.ACK_OR_SPOOL, 0.3))
        await eventually(lambda: _has_messages(client, 1))
        await eventually(lambda: link.swallowed_bytes > 0)
        link.swallows_answers = False
        for one in others:
            await outbox.submit(one, Wait.ACK, 5)
        assert (await waiting).spooled
        link.refuses = True
        link.cut()
    await eventually(lambda: _is_forgotten(client, others[-1]))
    async with opened(nats_server.url, tmp_path / "spool"):
        await eventually(lambda: not list((tmp_path / "spool").glob("*/00000001.seg")))
    assert numbers_of(await read_stream(jetstream), "late") == [1]


async def test_killed_agents_leave_nothing_unsent_though_the_server_is_killed_too(
    client: BusClient, nats_server: NatsServer, tmp_path: Path
) -> None:
    """Every event whose call had returned is stored exactly once, in order, without a gap."""
    await _check_lives(client, nats_server, tmp_path / "spool", [False, True, False])


@pytest.mark.soak
@pytest.mark.timeout(600)
async def test_many_killed_agents_and_servers_leave_nothing_unsent(
    client: BusClient, nats_server: NatsServer, tmp_path: Path
) -> None:
    """The same for longer, in an order that differs from run to run."""
    kills = [random.random() < 0.4 for _ in range(30)]
    await _check_lives(client, nats_server, tmp_path / "spool", kills)


async def _check_lives(
    client: BusClient, server: NatsServer, spool: Path, kills_of_server: list[bool]
) -> None:
    promised = {}
    for number, kills_server in enumerate(kills_of_server):
        emitter = f"life{number}"
        promised[emitter] = await asyncio.to_thread(
            _run_and_kill, server, spool, emitter, kills_server=kills_server
        )
    async with opened(server.url, spool):
        await eventually(lambda: len(list(spool.iterdir())) == 1, timeout=30)
    await eventually(lambda: client.is_connected)
    stored = await read_stream(client.jetstream())
    for emitter, count in promised.items():
        numbers = numbers_of(stored, emitter)
        assert numbers == list(range(1, len(numbers) + 1))
        assert len(numbers) >= count


async def test_full_spool_blocks_until_there_is_room(
    client: BusClient, link: FaultyLink, tmp_path: Path
) -> None:
    link.refuses = True
    events = _large_life(8)
    async with opened(link.url, tmp_path / "spool", max_bytes=MIBIBYTE) as (_, outbox):
        waiting = [asyncio.ensure_future(outbox.submit(one, Wait.HANDOVER, 1)) for one in events]
        await eventually(lambda: sum(one.done() for one in waiting) == 3)
        assert not outbox.has_room(events[0])
        link.refuses = False
        await asyncio.gather(*waiting)
    assert numbers_of(await read_stream(client.jetstream()), "e1") == list(range(1, 9))


async def test_event_behind_one_that_a_full_spool_blocks_does_not_overtake_it(
    client: BusClient, nats_server: NatsServer, tmp_path: Path
) -> None:
    events = _large_life(6)
    async with opened(nats_server.url, tmp_path / "spool", max_bytes=MIBIBYTE) as (_, outbox):
        await pause(nats_server)
        waiting = [asyncio.ensure_future(outbox.submit(one, Wait.HANDOVER, 1)) for one in events]
        await eventually(lambda: not outbox.has_room(events[0]))
        later = asyncio.ensure_future(outbox.submit(_large_life(7)[6], Wait.ACK, 30))
        nats_server.resume()
        await asyncio.gather(*waiting, later)
    assert numbers_of(await read_stream(client.jetstream()), "e1") == list(range(1, 8))


async def test_full_spool_refuses_where_its_policy_says_so(
    link: FaultyLink, tmp_path: Path
) -> None:
    link.refuses = True
    async with opened(
        link.url,
        tmp_path / "spool",
        max_bytes=MIBIBYTE,
        policy=SpoolPolicy.REFUSE,
        close_timeout=0.1,
    ) as (_, outbox):
        for one in _large_life(3):
            await outbox.submit(one, Wait.HANDOVER, 1)
        with pytest.raises(SpoolFullError):
            await outbox.submit(build_outgoing(payload=bytes(MIBIBYTE // 3)), Wait.HANDOVER, 1)


async def test_full_spool_drops_and_counts_where_its_policy_says_so(
    link: FaultyLink, tmp_path: Path
) -> None:
    link.refuses = True
    async with opened(
        link.url,
        tmp_path / "spool",
        max_bytes=MIBIBYTE,
        policy=SpoolPolicy.DROP,
        close_timeout=0.1,
    ) as (_, outbox):
        receipts = [await outbox.submit(one, Wait.HANDOVER, 1) for one in _large_life(5)]
        assert [one.spooled for one in receipts] == [True] * 3 + [False] * 2
        assert outbox.dropped_count == 2


async def test_event_refused_by_the_server_is_not_sent_for_ever(
    client: BusClient, nats_server: NatsServer, tmp_path: Path
) -> None:
    events = build_life("e1", 3)
    events[1] = build_outgoing(2, emitter_id="e1", payload=bytes(client.max_payload))

    def make_tombstone(refused: Outgoing, _reason: str) -> Outgoing | None:
        if not refused.emitter_id:
            return None
        return build_outgoing(refused.emitter_seq, emitter_id="e1", payload=b"tombstone")

    async with opened(nats_server.url, tmp_path / "spool", make_tombstone=make_tombstone) as (
        _,
        outbox,
    ):
        for one in events:
            await outbox.submit(one, Wait.HANDOVER, 5)
        await eventually(lambda: outbox.spooled_count == 0)
        with pytest.raises(PublishRejectedError):
            await outbox.submit(
                build_outgoing(payload=bytes(client.max_payload)), Wait.ACK_OR_SPOOL, 5
            )
    stored = await read_stream(client.jetstream())
    assert numbers_of(stored, "e1") == [1, 2, 3]
    assert stored[1].payload == b"tombstone"


async def test_events_of_a_user_with_more_rights_are_left_to_that_user(
    nats_server_with_users: NatsServer, tmp_path: Path
) -> None:
    server = nats_server_with_users
    directory = tmp_path / "spool"
    async with open_bus(BusConfig(url=server.url)) as operator:
        await declare(operator.js)
        agent_url = server.url_of("agent")
        await pause(server)
        async with opened(agent_url, directory, close_timeout=0.1) as (_, outbox):
            await outbox.submit(
                build_outgoing(1, emitter_id="e1", subject="swarm.spans.x"), Wait.HANDOVER, 5
            )
        server.resume()
        async with opened(agent_url, directory) as (bus, outbox):
            await eventually(lambda: bus.committer.lost_count == 1)
            assert list(directory.glob("*/00000001.seg"))
            receipt = await outbox.submit(build_outgoing(1, emitter_id="e2"), Wait.ACK, 5)
            assert receipt.sequence == 1


async def test_publishing_after_the_end_raises(nats_server: NatsServer, tmp_path: Path) -> None:
    async with opened(nats_server.url, tmp_path / "spool") as (_, outbox):
        pass
    with pytest.raises(BusClosedError):
        await outbox.submit(build_outgoing(), Wait.HANDOVER, 1)


def _large_life(count: int) -> list[Outgoing]:
    return [
        build_outgoing(number, emitter_id="e1", payload=bytes(MIBIBYTE // 3 - 2000))
        for number in range(1, count + 1)
    ]


def _run_and_kill(server: NatsServer, directory: Path, emitter: str, *, kills_server: bool) -> int:
    """Let an agent publish for a while, kill it, and return how many of its calls had returned."""
    agent = subprocess.Popen(
        [sys.executable, "-c", AGENT, server.url, str(directory), emitter],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert agent.stdout is not None
    try:
        while int(agent.stdout.readline()) < 300:
            pass
        if kills_server:
            server.kill()
            while int(agent.stdout.readline()) < 600:
                pass
    finally:
        agent.send_signal(signal.SIGKILL)
        rest = [line for line in agent.stdout.read().split("\n")[:-1] if line]
        agent.wait()
        agent.stdout.close()
    if kills_server:
        server.start()
    return max([300, *(int(line) for line in rest)])


async def _has_messages(client: BusClient, count: int) -> bool:
    info = await client.jetstream().stream_info("ENCHANTED_SWARM")
    return bool(info.state.messages >= count)


async def _is_forgotten(client: BusClient, outgoing: Outgoing) -> bool:
    ack = await client.jetstream().publish(
        "swarm.events.probe.probe", b"", headers={"Nats-Msg-Id": outgoing.event_id}
    )
    return not ack.duplicate
