"""OTLP over HTTP becomes rows of swarm.spans, each message once."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import urllib3
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]
from nats.js import JetStreamContext
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span, TracesData

from infrastructure.errors import StaleBatchError, StreamChangedError
from infrastructure.history.blobs import Blobs
from infrastructure.history.client import HistoryClient, open_history
from infrastructure.history.config import HistoryConfig
from infrastructure.history.migrate import migrate
from infrastructure.intake.config import IntakeConfig
from infrastructure.intake.service import run_intake
from infrastructure.intake.spans import encode_rows
from nervous_system.comms.connection import open_nats
from nervous_system.comms.objects import BusContentStore
from tests.support.eventually import eventually
from tests.support.servers import NatsServer

DATA = Path(__file__).parents[1] / "data" / "otlp"
RECORDED = (DATA / "openai_v2_0001_traces.pb").read_bytes()
SPAN_COUNT = sum(
    len(scope.spans)
    for resource in ExportTraceServiceRequest.FromString(RECORDED).resource_spans
    for scope in resource.scope_spans
)
PROTOBUF = {"Content-Type": "application/x-protobuf"}
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def client(history_dsn: str) -> Iterator[HistoryClient]:
    with open_history(HistoryConfig(dsn=history_dsn)) as opened:
        migrate(opened)
        yield opened


@pytest.fixture
async def jetstream(nats_url: str) -> AsyncIterator[JetStreamContext]:
    async with open_nats(nats_url, name="test") as connection:
        stream = connection.jetstream()
        await stream.add_stream(name="SWARM_SPANS", subjects=["swarm.spans.>"])
        await stream.create_object_store("SWARM_CONTENT")
        yield stream


@asynccontextmanager
async def _running(nats_url: str, dsn: str) -> AsyncIterator[str]:
    stop = asyncio.Event()
    bound: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    config = IntakeConfig(nats_url=nats_url, history=HistoryConfig(dsn=dsn), port=0)
    task = asyncio.create_task(run_intake(config, stop, bound))
    try:
        yield f"http://127.0.0.1:{await bound}"
    finally:
        stop.set()
        await task


async def _post(url: str, body: bytes, headers: dict[str, str]) -> Any:
    return await asyncio.to_thread(
        urllib3.request, "POST", f"{url}/v1/traces", body=body, headers=headers, retries=False
    )


async def _count(client: HistoryClient) -> int:
    rows = await asyncio.to_thread(client.query, "select count() as n from swarm.spans")
    return int(rows[0]["n"])


async def test_body_over_the_limit_is_refused_before_it_is_sent(
    client: HistoryClient, jetstream: JetStreamContext, nats_url: str, history_dsn: str
) -> None:
    """Exporters send no credentials: what they can make us hold is bounded."""
    async with _running(nats_url, history_dsn) as url:
        port = urllib3.util.parse_url(url).port
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        head = f"POST /v1/traces HTTP/1.1\r\nContent-Length: {(64 << 20) + 1}\r\n\r\n"
        writer.write(head.encode())
        assert (await reader.readline()).startswith(b"HTTP/1.1 413")
        writer.close()
        await writer.wait_closed()


async def test_recorded_request_becomes_rows(
    client: HistoryClient, jetstream: JetStreamContext, nats_url: str, history_dsn: str
) -> None:
    async with _running(nats_url, history_dsn) as url:
        answer = await _post(url, RECORDED, PROTOBUF)
        assert answer.status == 200
        assert ExportTraceServiceResponse.FromString(answer.data) == ExportTraceServiceResponse()
        assert (await jetstream.stream_info("SWARM_SPANS")).state.messages >= 1
        await eventually(lambda: _is(client, SPAN_COUNT))
    rows = client.query("select * from swarm.spans")
    assert {row["ServiceName"] for row in rows} == {"fixture-agent-otela"}
    failed = [row for row in rows if row["StatusCode"] == "Error"]
    assert failed
    assert any("exception" in row["Events.Name"] for row in rows)
    traces = client.query("select trace_id, spans, errors from swarm.traces")
    assert sum(int(trace["spans"]) for trace in traces) == SPAN_COUNT


async def _is(client: HistoryClient, expected: int) -> bool:
    return await _count(client) == expected


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (gzip.compress(RECORDED), {**PROTOBUF, "Content-Encoding": "gzip"}),
        ((DATA / "openai_v2_0001_traces.json").read_bytes(), JSON),
        (
            gzip.compress((DATA / "openai_v2_0001_traces.json").read_bytes()),
            {"Content-Type": "application/json; charset=utf-8", "Content-Encoding": "gzip"},
        ),
    ],
    ids=["protobuf gzip", "json", "json gzip"],
)
async def test_every_form_of_a_request_is_taken_and_a_repeat_stored_once(
    client: HistoryClient,
    jetstream: JetStreamContext,
    nats_url: str,
    history_dsn: str,
    body: bytes,
    headers: dict[str, str],
) -> None:
    async with _running(nats_url, history_dsn) as url:
        for _ in range(3):
            assert (await _post(url, body, headers)).status == 200
        await eventually(lambda: _is(client, SPAN_COUNT))
    assert await _count(client) == SPAN_COUNT


async def test_partial_success_names_what_was_rejected(
    client: HistoryClient, jetstream: JetStreamContext, nats_url: str, history_dsn: str
) -> None:
    good = {"traceId": "0a" * 16, "spanId": "0b" * 8, "name": "good"}
    bad = {"traceId": "xyz", "spanId": "", "name": "bad"}
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [good, bad]}]}]}).encode()
    async with _running(nats_url, history_dsn) as url:
        answer = await _post(url, body, JSON)
        assert answer.status == 200
        partial = json.loads(answer.data)["partialSuccess"]
        assert partial["rejectedSpans"] == "1"
        assert "'bad'" in partial["errorMessage"]
        await eventually(lambda: _is(client, 1))


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"\xff\xff\xff", PROTOBUF, 400),
        (b"nonsense", JSON, 400),
        (b"nonsense", {**PROTOBUF, "Content-Encoding": "gzip"}, 400),
        (gzip.compress(RECORDED)[:-20], {**PROTOBUF, "Content-Encoding": "gzip"}, 400),
        (gzip.compress(b"\0" * (70 << 20)), {**PROTOBUF, "Content-Encoding": "gzip"}, 400),
        (RECORDED, {**PROTOBUF, "Content-Encoding": "br"}, 400),
        (RECORDED, {"Content-Type": "text/plain"}, 415),
    ],
)
async def test_unusable_request_is_refused_with_a_status_body(
    client: HistoryClient,
    jetstream: JetStreamContext,
    nats_url: str,
    history_dsn: str,
    body: bytes,
    headers: dict[str, str],
    status: int,
) -> None:
    async with _running(nats_url, history_dsn) as url:
        answer = await _post(url, body, headers)
    assert answer.status == status
    if headers is PROTOBUF:
        assert Status.FromString(answer.data).message
    else:
        assert answer.data


async def test_spans_are_not_acknowledged_while_the_bus_is_away(
    client: HistoryClient, jetstream: JetStreamContext, nats_server: NatsServer, history_dsn: str
) -> None:
    async with _running(nats_server.url, history_dsn) as url:
        await jetstream.delete_stream("SWARM_SPANS")
        answer = await _post(url, RECORDED, PROTOBUF)
        assert answer.status == 503
        assert answer.headers["Retry-After"]
        await jetstream.add_stream(name="SWARM_SPANS", subjects=["swarm.spans.>"])
        assert (await _post(url, RECORDED, PROTOBUF)).status == 200
        await eventually(lambda: _is(client, SPAN_COUNT))


async def test_two_intakes_store_each_span_once(
    client: HistoryClient, jetstream: JetStreamContext, nats_url: str, history_dsn: str
) -> None:
    expected = 300
    async with _running(nats_url, history_dsn), _running(nats_url, history_dsn):
        for number in range(1, expected + 1):
            await jetstream.publish("swarm.spans.otlp", _message(number))
        await eventually(lambda: _reached(client, expected))
    rows = client.query(
        "select count() as n, uniqExact(SpanId) as ids, uniqExact(stream_seq) as s from swarm.spans"
    )
    assert rows == [{"n": expected, "ids": expected, "s": expected}]


async def test_intake_needs_no_more_than_the_ingestors_user_may_do(
    client: HistoryClient, nats_server_with_users: NatsServer, history_dsn: str
) -> None:
    server = nats_server_with_users
    async with open_nats(server.url_of("operator"), name="test") as connection:
        jetstream = connection.jetstream()
        await jetstream.add_stream(name="SWARM_SPANS", subjects=["swarm.spans.>"])
        await jetstream.create_object_store("SWARM_CONTENT")
        store = BusContentStore(jetstream, servers=server.url)
        digest = await store.put(b"x" * 300_000)

        async def is_empty() -> bool:
            return [digest async for digest in store.digests()] == []

        async with _running(server.url_of("ingestor"), history_dsn) as url:
            assert (await _post(url, RECORDED, PROTOBUF)).status == 200
            await eventually(lambda: _is(client, SPAN_COUNT))
            await eventually(is_empty)
    assert await asyncio.to_thread(Blobs(client).exists, digest)


async def test_restarted_intake_goes_on_where_history_ends(
    client: HistoryClient, jetstream: JetStreamContext, nats_url: str, history_dsn: str
) -> None:
    for first, last in ((1, 50), (51, 120)):
        for number in range(first, last + 1):
            await jetstream.publish("swarm.spans.otlp", _message(number))
        async with _running(nats_url, history_dsn):
            await eventually(lambda last=last: _reached(client, last))  # type: ignore[misc]
    assert await _count(client) == 120


async def test_message_that_is_no_span_does_not_hold_up_its_neighbours(
    client: HistoryClient, jetstream: JetStreamContext, nats_url: str, history_dsn: str
) -> None:
    for payload in (_message(1), b"\xff\xff", b"", _message(2)):
        await jetstream.publish("swarm.spans.otlp", payload)
    async with _running(nats_url, history_dsn):
        await eventually(lambda: _reached(client, 4))
    rows = client.query(
        "select undecodable_reason != '' as bad from swarm.spans order by stream_seq"
    )
    assert [bool(row["bad"]) for row in rows] == [False, True, True, False]


async def test_spans_that_the_engine_refuses_do_not_hold_up_their_neighbours(
    client: HistoryClient, jetstream: JetStreamContext, nats_url: str, history_dsn: str
) -> None:
    client.command("alter table swarm.spans add constraint no_six check SpanId not like '%6'")
    try:
        for number in range(1, 21):
            await jetstream.publish("swarm.spans.otlp", _message(number))
        async with _running(nats_url, history_dsn):
            await eventually(lambda: _reached(client, 20))
    finally:
        client.command("alter table swarm.spans drop constraint no_six")
    rows = client.query("select stream_seq, undecodable_reason from swarm.spans order by all")
    assert [row["stream_seq"] for row in rows] == list(range(1, 21))
    assert [row["stream_seq"] for row in rows if row["undecodable_reason"]] == [6]


async def test_stream_of_spans_that_was_replaced_is_refused_also_when_longer(
    client: HistoryClient, jetstream: JetStreamContext, nats_url: str, history_dsn: str
) -> None:
    await jetstream.publish("swarm.spans.otlp", _message(1))
    config = IntakeConfig(nats_url=nats_url, history=HistoryConfig(dsn=history_dsn), port=0)
    running = asyncio.create_task(run_intake(config, asyncio.Event()))
    await eventually(lambda: _reached(client, 1))
    await jetstream.delete_stream("SWARM_SPANS")
    await jetstream.add_stream(name="SWARM_SPANS", subjects=["swarm.spans.>"])
    for number in range(10, 15):
        await jetstream.publish("swarm.spans.otlp", _message(number))
    with pytest.raises(ExceptionGroup) as caught:
        await running
    assert caught.group_contains(StreamChangedError)
    assert await _count(client) == 1


async def test_intake_leaves_no_consumer_behind(
    client: HistoryClient, jetstream: JetStreamContext, nats_url: str, history_dsn: str
) -> None:
    await jetstream.publish("swarm.spans.otlp", _message(1))
    async with _running(nats_url, history_dsn):
        await eventually(lambda: _reached(client, 1))
        assert await jetstream.consumers_info("SWARM_SPANS")
    assert await jetstream.consumers_info("SWARM_SPANS") == []


def test_batch_behind_another_writer_is_refused(client: HistoryClient) -> None:
    def insert(sequence: int, previous: int) -> None:
        body = encode_rows("S", [(sequence, _message(sequence))], previous)
        client.insert_raw("swarm.spans_input", body, input_format="JSONEachRow")

    insert(1, 0)
    insert(5, 1)
    for previous in (0, 1, 4, 6):
        with pytest.raises(StaleBatchError):
            insert(6, previous)
    assert client.query("select max(stream_seq) as m from swarm.spans") == [{"m": 5}]


async def _reached(client: HistoryClient, sequence: int) -> bool:
    rows = await asyncio.to_thread(
        client.query, "select max(stream_seq) as highest from swarm.spans"
    )
    return int(rows[0]["highest"]) == sequence


def _message(number: int) -> bytes:
    data = TracesData()
    span = Span(name="work", trace_id=b"t" * 16, span_id=number.to_bytes(8, "big"))
    data.resource_spans.add().scope_spans.add().spans.append(span)
    return data.SerializeToString()
