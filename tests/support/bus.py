"""What tests of the bus share: events on their way, a declared stream, what the stream holds."""

import uuid
from dataclasses import dataclass
from pathlib import Path

from nats.js import JetStreamContext

from nervous_system.comms.contracts import Outgoing
from nervous_system.comms.streams import EVENTS_STREAM, declare_streams, swarm_streams
from tests.support.builders import build_event
from tests.support.eventually import eventually
from tests.support.servers import NatsServer

SMALL_STREAM_BYTES = 256 * 1024 * 1024


def build_outgoing(
    emitter_seq: int = 0,
    *,
    emitter_id: str = "",
    agent_id: str = "coder-1",
    event_id: str | None = None,
    payload: bytes | None = None,
    subject: str | None = None,
) -> Outgoing:
    """Return an encoded event; the emitter's id is also its agent's if none is given."""
    event = build_event(
        event_id=event_id or str(uuid.uuid4()), emitter_id=emitter_id, emitter_seq=emitter_seq
    )
    return Outgoing(
        subject=subject or f"swarm.events.coder.decision.{emitter_id or agent_id}",
        payload=event.SerializeToString() if payload is None else payload,
        event_id=event.event_id,
        emitter_id=emitter_id,
        emitter_seq=emitter_seq,
    )


def build_life(emitter_id: str, count: int, start: int = 1) -> list[Outgoing]:
    """Return consecutive events of one emitter."""
    return [build_outgoing(number, emitter_id=emitter_id) for number in range(start, start + count)]


async def declare(jetstream: JetStreamContext) -> None:
    """Declare the swarm's streams, small."""
    await declare_streams(jetstream, swarm_streams(max_bytes=SMALL_STREAM_BYTES))


@dataclass(frozen=True, slots=True)
class Stored:
    """A message of the stream."""

    sequence: int
    event_id: str
    emitter: str
    """`<emitter id>:<number>`; empty if it has none."""
    payload: bytes


async def read_stream(jetstream: JetStreamContext, stream: str = EVENTS_STREAM) -> list[Stored]:
    """Return all messages of a stream, read one by one: slow, and not with our reader."""
    state = (await jetstream.stream_info(stream)).state
    found = []
    for sequence in range(max(1, state.first_seq), state.last_seq + 1):
        message = await jetstream.get_msg(stream, sequence)
        headers = message.headers or {}
        found.append(
            Stored(
                sequence,
                headers.get("Nats-Msg-Id", ""),
                headers.get("Swarm-Emitter", ""),
                message.data or b"",
            )
        )
    return found


def numbers_of(stored: list[Stored], emitter_id: str) -> list[int]:
    """Return the numbers of one emitter's events in the order in which they are stored."""
    pairs = (one.emitter.rpartition(":") for one in stored)
    return [int(number) for emitter, _, number in pairs if emitter == emitter_id]


async def pause(server: NatsServer) -> None:
    """Make a server hang, and return when it does: a signal takes effect a little later."""
    server.pause()
    await eventually(lambda: _is_stopped(server.pid))


def _is_stopped(pid: int) -> bool:
    """Tell whether every thread is stopped; where the system does not say, believe it."""
    states = [
        stat.read_text().rpartition(")")[2].split()[0]
        for stat in Path(f"/proc/{pid}/task").glob("*/stat")
    ]
    return all(state == "T" for state in states)
