"""End to end: from the stream to a row that can be queried, ours beside the plain way.

Both run as processes of their own against the same nats-server and the same history process, and
read events that already lie in the stream. The rows themselves carry the time of their insert: the
clock runs from the first insert to the last, and the rows of all inserts before the last count. So
start-up counts for neither, and nobody has to ask history while it works.
"""

import subprocess
import sys
import time
from dataclasses import dataclass

from cortex.cli.bench.corpus import Corpus
from cortex.cli.bench.load import load
from cortex.cli.bench.measure import paired_ratio
from cortex.cli.bench.rig import Rig
from infrastructure.errors import ChildFailedError
from nervous_system.comms.streams import EVENTS_STREAM

PLAIN_SHARE = 0.15
"""Share of the events that the plain way gets: it is slower, and its rate is the same for fewer."""
TIMEOUT_SECONDS = 600.0
POLL_SECONDS = 0.5
"""Between two looks at whether all rows are there."""
RATE = """
with (select max(ingested_at) from {table}) as last_at
select countIf(ingested_at < last_at) / (dateDiff('millisecond', min(ingested_at), last_at) / 1000)
from {table}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestFigures:
    """Events per second, a figure per round."""

    ours: list[float]
    plain: list[float]
    memory_mib: int
    """Resident memory of the ingestor at the end of the last round."""

    @property
    def ratio(self) -> float:
        """Median of ours by plain, pair by pair."""
        return paired_ratio(self.ours, self.plain)


async def lay_backlog(rig: Rig, count: int) -> None:
    """Publish `count` decisions of about 500 bytes."""
    await load(rig.nats_url, Corpus().decisions(count))


def measure_ingest(rig: Rig, count: int, rounds: int) -> IngestFigures:
    """Ingest the first `count` messages of the stream `rounds` times each way, in turn."""
    ours, plain, memory = [], [], 0
    for _ in range(rounds):
        plain.append(_plain_rate(rig, int(count * PLAIN_SHARE)))
        rig.writer.command("truncate table swarm.events")
        with rig.ingestor() as child:
            ours.append(_rate(rig, "swarm.events", count, child))
            memory = memory_mib(child.pid)
    return IngestFigures(ours=ours, plain=plain, memory_mib=memory)


def _plain_rate(rig: Rig, count: int) -> float:
    rig.writer.command("drop table if exists swarm.plain_events")
    command = (sys.executable, "-m", "cortex.cli.bench.plain")
    with rig.process(*command, rig.nats_url, rig.writer_dsn, EVENTS_STREAM, str(count)) as child:
        return _rate(rig, "swarm.plain_events", count, child)


def _rate(rig: Rig, table: str, count: int, child: subprocess.Popen[bytes]) -> float:
    """Return rows per second once all `count` rows are there."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while (rows := _row_count(rig, table)) < count:
        if time.monotonic() > deadline or child.poll() is not None:
            raise ChildFailedError(
                name="ingestor", reason=f"{rows} of {count} rows", log=str(rig.home.logs)
            )
        time.sleep(POLL_SECONDS)
    return rig.number(RATE.format(table=table))


def _row_count(rig: Rig, table: str) -> int:
    database, _, name = table.partition(".")
    return rig.scalar(
        "select sum(rows) from system.parts "
        f"where active and database = '{database}' and table = '{name}'"
    )


def memory_mib(pid: int) -> int:
    """Return the resident memory of a process in MiB; 0 where the system does not say."""
    done = subprocess.run(
        ["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return int(done.stdout.strip() or 0) // 1024
