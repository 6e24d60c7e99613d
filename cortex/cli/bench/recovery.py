"""The past of one busy workspace: all of it, and one file, at events of every age.

Asked as the commands of time travel ask, as a reader over HTTP, from the event's id to the answer.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random
from statistics import median

from cortex.cli.bench.load import load
from cortex.cli.bench.measure import quantile, timed_ms_of
from cortex.cli.bench.rig import Rig
from cortex.cli.bench.workspace import FILES, WorkspaceCorpus
from cortex.cli.kept_content import HistoryContents
from cortex.engine.past import Past
from cortex.engine.recovery import FILE_SYSTEM, Resource, ResourceState, State, present
from infrastructure.errors import ChildFailedError
from infrastructure.history.blobs import Blobs
from infrastructure.history.client import AsyncHistory, HistoryClient

AGES = 10
"""Moments that are asked for, spread evenly over the history."""
REPEATS = 4
CATCH_UP_SECONDS = 1_200.0
EVENT_ID = "select toString(event_id) as id from swarm.events where stream_seq = {sequence:UInt64}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryFigures:
    """How long the past takes, in milliseconds."""

    events: int
    """In history."""
    files: int
    """In the workspace, at the last moment."""
    state_ms: list[float]
    """Median of each age, the oldest first."""
    state_ms_p99: float
    file_ms: list[float]
    file_ms_p99: float


def measure_recovery(rig: Rig, events: int) -> RecoveryFigures:
    """Lay a workspace's history of so many events, then ask for moments of every age.

    Raises:
        ChildFailedError: the events did not reach history, or a state has not all files.
    """
    corpus = WorkspaceCorpus()
    asyncio.run(_keep(rig, corpus.manifest()))
    asyncio.run(load(rig.nats_url, corpus.history(events)))
    with rig.ingestor():
        rig.wait_until_highest(events, CATCH_UP_SECONDS)
        rig.wait_until_merged(CATCH_UP_SECONDS)
        with rig.reader() as reader:
            return asyncio.run(_measure(rig, reader, events))


async def _keep(rig: Rig, content: bytes) -> None:
    """Put a content into history, where it is after a while."""
    await asyncio.to_thread(Blobs(rig.writer).put, content)


async def _measure(rig: Rig, reader: HistoryClient, events: int) -> RecoveryFigures:
    past = Past(AsyncHistory(reader), HistoryContents(reader))
    draw = Random(7)  # noqa: S311 - which files to ask for
    states: list[list[float]] = []
    files: list[list[float]] = []
    count = 0
    for age in range(1, AGES + 1):
        event_id = await _event_id(reader, max(2, events * age // AGES))
        number = draw.randrange(FILES)
        resource = Resource(FILE_SYSTEM, f"src/package_{number % 40}/module_{number}.py".encode())
        states.append([await timed_ms_of(_state(past, event_id)) for _ in range(REPEATS)])
        files.append([await timed_ms_of(_file(past, event_id, resource)) for _ in range(REPEATS)])
        count = len(present(await _state(past, event_id)()))
    if not 0.95 * FILES <= count <= FILES:
        raise ChildFailedError(
            name="recovery", reason=f"{count} of {FILES} files", log=str(rig.home.logs)
        )
    return RecoveryFigures(
        events=events,
        files=count,
        state_ms=[median(times) for times in states],
        state_ms_p99=quantile([time for times in states for time in times], 0.99),
        file_ms=[median(times) for times in files],
        file_ms_p99=quantile([time for times in files for time in times], 0.99),
    )


def _state(past: Past, event_id: str) -> Callable[[], Awaitable[State]]:
    async def ask() -> State:
        moment = await past.event_by_id(event_id)
        return await past.state_at(await past.place_of(moment))

    return ask


def _file(past: Past, event_id: str, resource: Resource) -> Callable[[], Awaitable[ResourceState]]:
    async def ask() -> ResourceState:
        moment = await past.event_by_id(event_id)
        return await past.resource_at(await past.place_of(moment), resource)

    return ask


async def _event_id(reader: HistoryClient, sequence: int) -> str:
    rows = await asyncio.to_thread(reader.query, EVENT_ID, {"sequence": sequence})
    return str(rows[0]["id"])
