"""Fresh reads: what was in the stream when a command was called is in history when it reads.

Lag is never reported as corruption: where history does not catch up in time, the command says by
how much and ends.
"""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass

from nats.js.errors import NotFoundError

from cortex.cli.errors import CommandFailedError
from cortex.cli.places import bus_url, open_reader
from cortex.cli.session import Session
from infrastructure.history.client import HistoryClient
from infrastructure.history.query_text import query_text
from nervous_system.comms.connection import BusClient, open_nats, redact_url, translated
from nervous_system.comms.streams import COORDINATION_STREAM, EVENTS_STREAM

FRESH_SECONDS = 10.0
POLL_SECONDS = 0.05
EVENT_STREAMS = (EVENTS_STREAM, COORDINATION_STREAM)
_API_TIMEOUT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Lag:
    """By how much history is behind."""

    behind: Mapping[str, int]
    """Stream to the number of sequences that history has not reached."""

    @property
    def events(self) -> int:
        """All streams together."""
        return sum(self.behind.values())


def lag_between(ends: Mapping[str, int], reached: Mapping[str, int]) -> Lag:
    """Return how far history, which has `reached` these sequences, is from the streams' ends."""
    missing = {stream: end - reached.get(stream, 0) for stream, end in ends.items()}
    return Lag({stream: count for stream, count in missing.items() if count > 0})


def wait_until_fresh(
    session: Session, seconds: float = FRESH_SECONDS, *, no_wait: bool = False
) -> None:
    """Wait up to `seconds` until history holds what the streams hold now.

    Raises:
        CommandFailedError: history is still behind then.
        BusUnavailableError: the bus cannot be asked.
        HistoryUnavailableError: history cannot be asked.
    """
    if not no_wait:
        asyncio.run(until_fresh(session, seconds))


async def until_fresh(session: Session, seconds: float = FRESH_SECONDS) -> None:
    """Do the same inside an event loop, for so many seconds."""
    async with open_nats(bus_url(session), name="swarm-fresh") as client:
        ends = await stream_ends(client, bus_url(session))
        with open_reader(session) as history:
            lag = await _wait(history, ends, seconds)
            if lag.events:
                lag = await _without_deleted(client, history, lag, ends)
    if lag.events:
        raise CommandFailedError(
            f"history is {lag.events} events behind the stream after {seconds:g} s: "
            "see `swarm status`, or pass --no-wait to read what is there"
        )


async def stream_ends(client: BusClient, url: str) -> dict[str, int]:
    """Return the last sequence of each stream of events that exists."""
    ends = {}
    for stream in EVENT_STREAMS:
        with translated("stream info", redact_url(url)):
            try:
                info = await client.jetstream().stream_info(stream)
            except NotFoundError:
                continue
        ends[stream] = int(info.state.last_seq)
    return ends


def reached_sequences(history: HistoryClient) -> dict[str, int]:
    """Return the highest sequence of each stream that history holds."""
    rows = history.query(query_text("reached_sequences"))
    return {str(row["stream"]): int(row["reached"]) for row in rows}


async def _wait(history: HistoryClient, ends: Mapping[str, int], seconds: float) -> Lag:
    deadline = time.monotonic() + seconds
    while True:
        lag = lag_between(ends, await asyncio.to_thread(reached_sequences, history))
        if not lag.events or time.monotonic() >= deadline:
            return lag
        await asyncio.sleep(POLL_SECONDS)


async def _without_deleted(
    client: BusClient, history: HistoryClient, lag: Lag, ends: Mapping[str, int]
) -> Lag:
    """Leave out streams whose last messages were deleted: no message follows what history has."""
    reached = await asyncio.to_thread(reached_sequences, history)
    behind = {
        stream: count
        for stream, count in lag.behind.items()
        if await _has_message_after(client, stream, reached.get(stream, 0), ends[stream])
    }
    return Lag(behind)


async def _has_message_after(client: BusClient, stream: str, sequence: int, end: int) -> bool:
    request = json.dumps({"seq": sequence + 1, "next_by_subj": ">"}).encode()
    with translated("stream read", "the bus"):
        answer = await client.request(
            f"$JS.API.STREAM.MSG.GET.{stream}", request, timeout=_API_TIMEOUT_SECONDS
        )
    found = json.loads(answer.data)
    return "error" not in found and int(found["message"]["seq"]) <= end
