"""How the recorder is doing: the bus, how far history has got, the processes of the stack."""

import asyncio
import os
import shutil
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from mission_control.server.bus_watch import BusWatch, StreamFacts
from mission_control.server.desk import Desk
from mission_control.server.models import DiskHealth, Health, ProcessHealth, StreamHealth
from nervous_system.errors import BusError
from nervous_system.home import Home

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
Reached = Mapping[str, int]
"""Stream to the highest sequence that history has of it."""


async def health(desk: Desk) -> Health:
    """Return how everything is; a bus that is away is part of the answer.

    Raises:
        HistoryError: history cannot be asked.
    """
    reached, undecodable = await asyncio.to_thread(_history, desk)
    streams = await _streams(desk.bus)
    behind = {} if streams is None else await _behind(desk.bus, streams, reached)
    return Health(
        ready=streams is not None,
        lag_events=None if streams is None else sum(count for count, _ in behind.values()),
        lag_seconds=None if streams is None else _longest(behind),
        streams=_stream_health(streams or (), reached),
        undecodable=undecodable,
        processes=[] if desk.config.home is None else _processes(Home(desk.config.home)),
        disk=None if desk.config.home is None else _disk(desk.config.home),
    )


def _history(desk: Desk) -> tuple[Reached, int]:
    reached: dict[str, int] = {}
    for row in desk.archive.rows("reached"):
        name = row["stream"].partition("@")[0]
        reached[name] = max(reached.get(name, 0), row["reached"])
    [counted] = desk.archive.rows("undecodable")
    return reached, counted["messages"]


async def _streams(bus: BusWatch) -> list[StreamFacts] | None:
    try:
        return await bus.streams()
    except BusError:
        return None


async def _behind(
    bus: BusWatch, streams: Sequence[StreamFacts], reached: Reached
) -> dict[str, tuple[int, float]]:
    """Return messages and seconds by which history is behind, of each stream where it is."""
    found = {}
    for stream in streams:
        place = reached.get(stream.name, 0)
        if stream.last_sequence <= place:
            continue
        # The last messages of a stream may have been deleted: nothing is missing then.
        since = await bus.waiting_since(stream.name, place)
        if since is not None:
            age = max(0.0, time.time() - since.timestamp())
            found[stream.name] = (stream.last_sequence - place, round(age, 3))
    return found


def _longest(behind: Mapping[str, tuple[int, float]]) -> float:
    return max((age for _, age in behind.values()), default=0.0)


def _stream_health(streams: Sequence[StreamFacts], reached: Reached) -> list[StreamHealth]:
    on_bus = {stream.name: stream for stream in streams}
    return [
        StreamHealth(
            name=name,
            messages=on_bus[name].messages if name in on_bus else None,
            bytes=on_bus[name].bytes if name in on_bus else None,
            last_seq=on_bus[name].last_sequence if name in on_bus else None,
            history_seq=reached.get(name, 0),
        )
        for name in sorted(on_bus.keys() | reached.keys())
    ]


def _processes(home: Home) -> list[ProcessHealth]:
    listed: list[dict[str, Any]] = (home.stack() or {}).get("processes", [])
    return [
        ProcessHealth(name=one["name"], pid=one["pid"], rss_bytes=resident_bytes(one["pid"]))
        for one in listed
    ]


def resident_bytes(pid: int) -> int | None:
    """Return the memory that a process has in use; None where it cannot be told."""
    with suppress(OSError, ValueError, IndexError):
        pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]
        return int(pages) * PAGE_BYTES
    return None


def _disk(home: Path) -> DiskHealth | None:
    with suppress(OSError):
        usage = shutil.disk_usage(home)
        return DiskHealth(free_bytes=usage.free, total_bytes=usage.total)
    return None
