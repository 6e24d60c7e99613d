"""Questions to history as people ask them, over HTTP, and where its bytes lie on disk."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from statistics import median
from typing import Any

from cortex.cli.bench.measure import quantile, timed_ms
from cortex.cli.bench.rig import Rig
from infrastructure.history.client import HistoryClient
from nervous_system.comms.streams import EVENTS_STREAM

REPEATS = 40
SAMPLES = """
select trace_id, target_resource, agent_id, stream_seq from swarm.events
where stream_seq in {sequences:Array(UInt64)} and target_resource != ''
"""
QUESTIONS = {
    "by_trace": "select * except raw from swarm.events where trace_id = {trace:String}"
    " order by stream_seq",
    "by_resource": "select stream_seq, event_time, agent_id, new_state_hash from swarm.events"
    " where target_resource = {resource:String} order by stream_seq",
    # Naming the stream is what `swarm events` does: its end is then read backwards, and no more.
    "last_100_of_agent": "select * except raw from swarm.events"
    f" where stream = '{EVENTS_STREAM}' and agent_id = {{agent:String}}"
    " order by stream_seq desc limit 100",
    "last_100_of_agent_in_all_streams": "select * except raw from swarm.events"
    " where agent_id = {agent:String} order by stream_seq desc limit 100",
    "range_10000": "select stream_seq, event_id, kind, raw from swarm.events"
    " where stream_seq between {first:UInt64} and {first:UInt64} + 9999 order by stream_seq",
    "count_by_agent": "select agent_id, count() from swarm.events group by agent_id",
    "text_search": "select count() from swarm.events where rationale like {words:String}",
}
SLOW = {"count_by_agent", "text_search"}
DISK = """
select name, sum(data_compressed_bytes) as disk, sum(data_uncompressed_bytes) as plain
from system.columns where database = 'swarm' and table = 'events'
group by name order by disk desc
"""
TOTAL = """
select sum(bytes_on_disk) as disk, sum(rows) as rows from system.parts
where database = 'swarm' and table = 'events' and active
"""
MERGE_SECONDS = 120.0
"""For so long merges may go on before the disk is looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Of one question, in milliseconds."""

    p50: float
    p99: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskFigures:
    """Where the bytes of swarm.events lie."""

    rows: int
    raw_bytes: int
    """Length of all messages."""
    disk_bytes: int
    """All active parts, with indexes and marks."""
    by_column: dict[str, int]
    """Compressed bytes, largest first."""

    @property
    def ratio(self) -> float:
        """Bytes on disk by bytes of the messages."""
        return self.disk_bytes / self.raw_bytes


def measure_queries(rig: Rig) -> dict[str, Latency]:
    """Ask each question as a reader, with values drawn from what is there."""
    values = _draw(rig, REPEATS)
    figures = {}
    with rig.reader() as reader:
        for name, question in QUESTIONS.items():
            repeats = REPEATS // 4 if name in SLOW else REPEATS
            times = [_ask(reader, question, values[number]) for number in range(repeats)]
            figures[name] = Latency(p50=median(times), p99=quantile(times, 0.99))
    return figures


def _ask(reader: HistoryClient, question: str, value: Mapping[str, Any]) -> float:
    used = {name: given for name, given in value.items() if f"{{{name}:" in question}
    return timed_ms(lambda: reader.raw(question, used, output_format="RowBinary"))


def _draw(rig: Rig, count: int) -> list[dict[str, Any]]:
    random, highest = Random(3), rig.highest()  # noqa: S311 - which rows to ask for
    drawn: list[dict[str, Any]] = []
    sequences = [random.randrange(1, highest + 1) for _ in range(count * 20)]
    for row in rig.writer.query(SAMPLES, {"sequences": sequences}):
        drawn.append(
            {
                "trace": row["trace_id"],
                "resource": row["target_resource"],
                "agent": row["agent_id"],
                "first": max(1, min(row["stream_seq"], highest - 10_000)),
                "words": f"%module {random.randrange(1_000)}%",
            }
        )
    return drawn[:count]


def measure_disk(rig: Rig) -> DiskFigures:
    """Merge what is small, then count bytes."""
    rig.wait_until_merged(MERGE_SECONDS)
    rig.writer.command("optimize table swarm.events final settings optimize_throw_if_noop = 1")
    total = rig.writer.query(TOTAL)[0]
    return DiskFigures(
        rows=int(total["rows"]),
        raw_bytes=rig.scalar("select sum(length(raw)) from swarm.events"),
        disk_bytes=int(total["disk"]),
        by_column={row["name"]: int(row["disk"]) for row in rig.writer.query(DISK)},
    )
