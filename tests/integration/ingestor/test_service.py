"""The ingestor against a real bus and a real history process: every message, exactly once."""

import asyncio
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from infrastructure.errors import HistoryAheadError, StreamChangedError
from infrastructure.history.client import HistoryClient, open_history
from infrastructure.history.config import HistoryConfig
from infrastructure.ingestor.ledger import GENESIS, Head, leaf, next_root, parse_head
from infrastructure.ingestor.service import IngestorService
from nervous_system.comms.streams import CHECKPOINTS_STREAM, EVENTS_STREAM, stream_identity
from tests.support.builders import build_event
from tests.support.eventually import eventually, eventually_blocking
from tests.support.ingesting import (
    SUBJECT,
    ingested,
    ingestor_config,
    ingestor_process,
    open_streams,
    put,
    running_service,
    sequences,
)
from tests.support.owner import Owner, running_owner
from tests.support.servers import NatsServer


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[Owner]:
    with running_owner(tmp_path / "home") as owner:
        yield owner


@pytest.fixture
def history(owner: Owner) -> Iterator[HistoryClient]:
    with open_history(HistoryConfig(dsn=owner.writer_dsn)) as client:
        yield client


def raws(count: int, **fields: object) -> list[bytes]:
    return [build_event(**fields).SerializeToString() for _ in range(count)]  # type: ignore[arg-type]


def fetch(service: IngestorService, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{service.port}{path}") as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


async def test_whatever_is_in_the_stream_becomes_a_row(
    nats_server: NatsServer, owner: Owner, history: HistoryClient
) -> None:
    messages = [*raws(3), b"\xff noise", b"", *raws(2)]
    async with open_streams(nats_server) as jetstream:
        last = await put(jetstream, messages)
        async with running_service(ingestor_config(nats_server, owner.writer_dsn)):
            assert await ingested(history, last) == list(range(1, last + 1))
    rows = history.query(
        "select kind, raw from swarm.events order by stream_seq", bytes_columns=["raw"]
    )
    assert [bytes(row["raw"]) for row in rows] == messages
    assert [row["kind"] for row in rows].count("undecodable") == 2


async def test_the_ledger_links_the_stream_and_its_heads_are_copied(
    nats_server: NatsServer, owner: Owner, history: HistoryClient
) -> None:
    async with open_streams(nats_server) as jetstream:
        identity = stream_identity(await jetstream.stream_info(EVENTS_STREAM))
        messages = raws(5)
        config = ingestor_config(nats_server, owner.writer_dsn, max_batch_rows=2)
        async with running_service(config):
            for message in messages:
                await ingested(history, await put(jetstream, [message]))
        ledger = history.query("select * from swarm.ledger order by stream_seq")
        root = GENESIS
        for row in ledger:
            covered = range(row["prev_seq"] + 1, row["stream_seq"] + 1)
            leaves = [leaf(seq, SUBJECT.encode(), messages[seq - 1]) for seq in covered]
            assert row["prev_root"] == root.hex()
            root = next_root(root, identity, leaves)
            assert row["root"] == root.hex()
        head = Head(EVENTS_STREAM, 5, root)
        subject = f"swarm.checkpoints.{EVENTS_STREAM}"
        copied = await jetstream.get_last_msg(CHECKPOINTS_STREAM, subject)
        assert parse_head((copied.data or b"").decode()) == head


async def test_of_many_batches_few_heads_are_noted_and_the_last_one_at_the_end(
    nats_server: NatsServer, owner: Owner, history: HistoryClient
) -> None:
    last = 0
    async with open_streams(nats_server) as jetstream:
        async with running_service(ingestor_config(nats_server, owner.writer_dsn)):
            for raw in raws(30):
                last = await put(jetstream, [raw])
                await ingested(history, last)
        assert len(history.query("select stream_seq from swarm.ledger")) == last
        noted = await jetstream.stream_info(CHECKPOINTS_STREAM)
        assert noted.state.messages < last // 2
        subject = f"swarm.checkpoints.{EVENTS_STREAM}"
        copied = await jetstream.get_last_msg(CHECKPOINTS_STREAM, subject)
        assert parse_head((copied.data or b"").decode()).sequence == last


async def test_what_is_no_head_among_the_heads_does_not_end_the_service(
    nats_server: NatsServer, owner: Owner, history: HistoryClient
) -> None:
    subject = f"swarm.checkpoints.{EVENTS_STREAM}"
    async with open_streams(nats_server) as jetstream:
        await jetstream.publish(subject, b"no head\xff")
        async with running_service(ingestor_config(nats_server, owner.writer_dsn)):
            await ingested(history, await put(jetstream, raws(3)))
        copied = await jetstream.get_last_msg(CHECKPOINTS_STREAM, subject)
        assert parse_head((copied.data or b"").decode()).sequence == 3


async def test_two_ingestors_on_one_stream_append_every_message_once(
    nats_server: NatsServer, owner: Owner, history: HistoryClient
) -> None:
    async with open_streams(nats_server) as jetstream, AsyncExitStack() as stack:
        for _ in range(2):
            config = ingestor_config(nats_server, owner.writer_dsn, max_batch_rows=7)
            await stack.enter_async_context(running_service(config))
        last = 0
        for _ in range(12):
            last = await put(jetstream, raws(20))
        assert await ingested(history, last) == list(range(1, last + 1))


async def test_a_killed_ingestor_loses_and_doubles_nothing(
    nats_server: NatsServer, owner: Owner, history: HistoryClient, tmp_path: Path
) -> None:
    log = tmp_path / "ingestor.log"
    async with open_streams(nats_server) as jetstream:
        last = 0
        for _ in range(3):
            with ingestor_process(nats_server, owner.writer_dsn, log, SWARM_INGESTOR_ROWS="50"):
                last = await put(jetstream, raws(300))
                # Killed somewhere in the middle: as soon as some of it is there.
                await eventually(lambda: bool(sequences(history)))
        with ingestor_process(nats_server, owner.writer_dsn, log):
            assert await ingested(history, last) == list(range(1, last + 1))


async def test_the_owner_of_history_may_be_killed_during_inserts(
    nats_server: NatsServer, owner: Owner, history: HistoryClient
) -> None:
    config = ingestor_config(nats_server, owner.writer_dsn, max_batch_rows=20)
    async with open_streams(nats_server) as jetstream, running_service(config):
        last = 0
        for _ in range(3):
            last = await put(jetstream, raws(150))
            await asyncio.to_thread(owner.kill)
            await asyncio.to_thread(owner.start)
        assert await ingested(history, last) == list(range(1, last + 1))


async def test_the_bus_may_be_killed(
    nats_server: NatsServer, owner: Owner, history: HistoryClient
) -> None:
    async with running_service(ingestor_config(nats_server, owner.writer_dsn)):
        last = 0
        for _ in range(2):
            async with open_streams(nats_server) as jetstream:
                last = await put(jetstream, raws(50))
            nats_server.kill()
            nats_server.start()
        assert await ingested(history, last) == list(range(1, last + 1))


async def test_gaps_and_expired_messages_do_not_stop_the_stream(
    nats_server: NatsServer, owner: Owner, history: HistoryClient
) -> None:
    config = ingestor_config(nats_server, owner.writer_dsn)
    async with open_streams(nats_server) as jetstream:
        await put(jetstream, raws(9))
        await jetstream.purge_stream(EVENTS_STREAM, seq=4)
        await jetstream.delete_msg(EVENTS_STREAM, 7)
        async with running_service(config):
            assert await ingested(history, 9) == [4, 5, 6, 8, 9]
        await put(jetstream, raws(3))
        await jetstream.purge_stream(EVENTS_STREAM, seq=12)
        async with running_service(config) as service:
            assert (await ingested(history, 12))[-1] == 12
            metrics = (await asyncio.to_thread(fetch, service, "/metrics"))[1]
            assert 'swarm_ingestor_expired_events_total{stream="ENCHANTED_SWARM"} 2.0' in metrics


async def test_a_repeated_number_is_flagged_also_after_a_restart(
    nats_server: NatsServer, owner: Owner, history: HistoryClient
) -> None:
    config = ingestor_config(nats_server, owner.writer_dsn)
    async with open_streams(nats_server) as jetstream:
        for numbers in ([1, 2, 2], [2, 3], [1, 3, 4]):
            events = [build_event(emitter_id="e", emitter_seq=number) for number in numbers]
            async with running_service(config):
                await ingested(
                    history, await put(jetstream, [one.SerializeToString() for one in events])
                )
    rows = history.query("select is_repeated from swarm.events order by stream_seq")
    flags = [bool(row["is_repeated"]) for row in rows]
    assert flags == [False, False, True, True, False, True, True, False]
    assert len(history.query("select * from swarm.decisions")) == 4


async def test_emitters_with_names_beyond_measure_are_told_apart_also_after_a_restart(
    nats_server: NatsServer, owner: Owner, history: HistoryClient
) -> None:
    config = ingestor_config(nats_server, owner.writer_dsn)
    long = "x" * 400_000
    emitters = [
        "e",
        long + "1",
        long + "2",
        long + "1",
        "sha256 e",
        *(f"{n}'" * 900 for n in "abc"),
    ]
    async with open_streams(nats_server) as jetstream:
        for _ in range(2):
            events = [build_event(emitter_id=emitter, emitter_seq=1) for emitter in emitters]
            async with running_service(config):
                await ingested(
                    history, await put(jetstream, [one.SerializeToString() for one in events])
                )
    rows = history.query("select kind, is_repeated from swarm.events order by stream_seq")
    first = [at == 3 for at in range(len(emitters))]
    assert [bool(row["is_repeated"]) for row in rows] == first + [True] * len(emitters)
    assert {row["kind"] for row in rows} == {"decision"}


async def test_a_bus_set_back_while_the_service_runs_ends_it(
    nats_server: NatsServer, owner: Owner, history: HistoryClient
) -> None:
    async with open_streams(nats_server) as jetstream:
        await put(jetstream, raws(2))
    nats_server.stop()
    old, store = nats_server.directory / "old", nats_server.directory / "store"
    shutil.copytree(store, old)
    nats_server.start()
    running = asyncio.create_task(
        IngestorService(ingestor_config(nats_server, owner.writer_dsn)).run(asyncio.Event())
    )
    async with open_streams(nats_server) as jetstream:
        await ingested(history, await put(jetstream, raws(3)))
    nats_server.kill()
    shutil.rmtree(store)
    old.rename(store)
    nats_server.start()
    with pytest.raises(ExceptionGroup) as caught:
        await running
    assert caught.group_contains(HistoryAheadError)


async def test_a_history_ahead_of_its_stream_is_refused(
    nats_server: NatsServer, owner: Owner, history: HistoryClient
) -> None:
    config = ingestor_config(nats_server, owner.writer_dsn)
    async with open_streams(nats_server) as jetstream:
        async with running_service(config):
            await ingested(history, await put(jetstream, raws(3)))
        history.command(
            "alter table swarm.events update ledger_identity = '' where 1",
            settings={"mutations_sync": "1"},
        )
        await jetstream.delete_stream(EVENTS_STREAM)
    async with open_streams(nats_server) as jetstream:
        await put(jetstream, raws(1))
        with pytest.raises(ExceptionGroup) as caught:
            await IngestorService(config).run(asyncio.Event())
        assert caught.group_contains(HistoryAheadError)


async def test_another_stream_of_the_same_name_is_refused(
    nats_server: NatsServer, owner: Owner, history: HistoryClient
) -> None:
    config = ingestor_config(nats_server, owner.writer_dsn)
    async with open_streams(nats_server) as jetstream:
        async with running_service(config):
            await ingested(history, await put(jetstream, raws(1)))
        await jetstream.delete_stream(EVENTS_STREAM)
    async with open_streams(nats_server) as jetstream:
        await put(jetstream, raws(5))
        with pytest.raises(ExceptionGroup) as caught:
            await IngestorService(config).run(asyncio.Event())
        assert caught.group_contains(StreamChangedError)


async def test_readiness_follows_history_and_bus(nats_server: NatsServer, owner: Owner) -> None:
    config = ingestor_config(nats_server, owner.writer_dsn)
    async with open_streams(nats_server), running_service(config) as service:
        await eventually(lambda: service.is_ready)
        assert (await asyncio.to_thread(fetch, service, "/readyz"))[0] == 200
        nats_server.kill()
        await eventually(lambda: not service.is_ready)
        assert (await asyncio.to_thread(fetch, service, "/readyz"))[0] == 503
        assert (await asyncio.to_thread(fetch, service, "/healthz"))[0] == 200
        nats_server.start()
        await eventually(lambda: service.is_ready)


async def test_sigterm_drains_and_ends_in_order(
    nats_server: NatsServer, owner: Owner, history: HistoryClient, tmp_path: Path
) -> None:
    async with open_streams(nats_server) as jetstream:
        last = await put(jetstream, raws(20))
        log = tmp_path / "ingestor.log"
        with ingestor_process(nats_server, owner.writer_dsn, log) as child:
            await ingested(history, last)
            child.terminate()
            code = await asyncio.to_thread(eventually_blocking, lambda: child.poll() is not None)
            assert code
            assert child.returncode == 0, log.read_text()
