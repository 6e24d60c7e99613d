"""The baseline of the ingest benchmark: the same job done the plain way, in a process of its own.

A push subscription with an ack each, one queue, `MessageToDict`, a batch of 1,000 rows or one
second, `insert()` of Python rows over HTTP into a table of its own. It does less than the ingestor:
no raw bytes, no ledger. Nothing is slowed down on purpose: up to 20,000 messages may be
unacknowledged (nats-server's default is 1,000), and uvloop runs it where it is installed.

    python -m cortex.cli.bench.plain NATS_URL DSN STREAM COUNT
"""

import asyncio
import sys
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import clickhouse_connect
import nats
from clickhouse_connect.driver.client import Client
from google.protobuf.json_format import MessageToDict
from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from nervous_system.schemas import SwarmEvent

BATCH_ROWS = 1_000
BATCH_SECONDS = 1.0
TABLE = "plain_events"
COLUMNS = (
    "stream_seq",
    "subject",
    "event_id",
    "event_time",
    "trace_id",
    "span_id",
    "agent_role",
    "agent_id",
    "run_id",
    "kind",
    "input_trigger",
    "rationale",
    "rejected_alternatives",
    "memory_ids",
    "confidence_score",
    "context_hash",
)
DDL = f"""
create or replace table {TABLE} (
    stream_seq UInt64, subject String, event_id UUID, event_time DateTime64(9, 'UTC'),
    trace_id String, span_id String, agent_role LowCardinality(String),
    agent_id LowCardinality(String), run_id String, kind LowCardinality(String),
    input_trigger String, rationale String, rejected_alternatives Array(String),
    memory_ids Array(String), confidence_score Float32, context_hash String,
    ingested_at DateTime64(3, 'UTC') default now64(3)
) engine = MergeTree order by (agent_id, stream_seq)
"""


def row_of(message: Msg) -> list[Any]:
    """Turn one message into a row, the way one would without thinking of speed."""
    event = SwarmEvent()
    event.ParseFromString(message.data)
    fields = MessageToDict(event, preserving_proto_field_name=True)
    decision = fields.get("decision", {})
    return [
        message.metadata.sequence.stream,
        message.subject,
        fields["event_id"],
        datetime.fromtimestamp(event.timestamp.seconds + event.timestamp.nanos / 1e9, UTC),
        fields.get("trace_id", ""),
        fields.get("span_id", ""),
        fields.get("agent_role", "ROLE_UNSPECIFIED"),
        fields.get("agent_id", ""),
        fields.get("run_id", ""),
        event.WhichOneof("payload") or "unknown",
        decision.get("input_trigger", ""),
        decision.get("rationale", ""),
        decision.get("rejected_alternatives", []),
        decision.get("memory_ids", []),
        decision.get("confidence_score", 0.0),
        decision.get("context_hash", ""),
    ]


async def _next_batch(queue: asyncio.Queue[Msg]) -> list[Msg]:
    batch = [await queue.get()]
    deadline = asyncio.get_running_loop().time() + BATCH_SECONDS
    while len(batch) < BATCH_ROWS:
        try:
            async with asyncio.timeout_at(deadline):
                batch.append(queue.get_nowait() if not queue.empty() else await queue.get())
        except TimeoutError:
            break
    return batch


async def _consume(nats_url: str, client: Client, stream: str, count: int) -> None:
    queue: asyncio.Queue[Msg] = asyncio.Queue(maxsize=100_000)
    connection = await nats.connect(nats_url)
    subscription = await connection.jetstream().subscribe(
        "swarm.events.>",
        stream=stream,
        cb=queue.put,
        manual_ack=True,
        config=ConsumerConfig(
            deliver_policy=DeliverPolicy.ALL,
            ack_policy=AckPolicy.EXPLICIT,
            max_ack_pending=20_000,
            ack_wait=60,
        ),
        pending_msgs_limit=200_000,
        pending_bytes_limit=1 << 30,
    )
    done = 0
    while done < count:
        batch = await _next_batch(queue)
        rows = [row_of(message) for message in batch]
        await asyncio.to_thread(client.insert, TABLE, rows, column_names=list(COLUMNS))
        for message in batch:
            await message.ack()
        done += len(batch)
    await subscription.unsubscribe()
    await connection.close()


def main() -> None:
    """Ingest COUNT messages and end."""
    nats_url, dsn, stream, count = sys.argv[1:5]
    where = urlsplit(dsn)
    client = clickhouse_connect.get_client(
        host=where.hostname or "127.0.0.1",
        port=where.port or 8123,
        username=where.username or "default",
        password=where.password or "",
        database="swarm",
        compress=False,
    )
    client.command(DDL)
    try:
        import uvloop as loop_library
    except ImportError:
        asyncio.run(_consume(nats_url, client, stream, int(count)))
    else:
        loop_library.run(_consume(nats_url, client, stream, int(count)))


if __name__ == "__main__":
    main()
