"""What reading asks of the JetStream API: a stream's state, a consumer, the next message."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from infrastructure.errors import HistoryAheadError
from infrastructure.ingestor.wire import Wire
from nervous_system.errors import BusUnavailableError

INACTIVE_SECONDS = 60
"""After so long without a pull request the server removes a consumer."""
NANOSECONDS = 1_000_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamState:
    """What the server says of a stream."""

    name: str
    identity: str
    """`name@created`."""
    first_sequence: int
    last_sequence: int
    bytes: int
    max_bytes: int
    """-1: no limit."""
    messages: int
    max_age_seconds: float
    """0: messages never expire."""
    first_time: datetime | None = None
    """When the oldest message was stored."""


async def stream_state(wire: Wire, stream: str) -> StreamState:
    """Return what the server says of a stream.

    Raises:
        BusUnavailableError: it has no such stream.
    """
    answer = await _api(wire, f"STREAM.INFO.{stream}", {})
    state, config = answer["state"], answer["config"]
    return StreamState(
        name=stream,
        identity=f"{stream}@{_format_time(answer['created'])}",
        first_sequence=int(state["first_seq"]),
        last_sequence=int(state["last_seq"]),
        bytes=int(state["bytes"]),
        max_bytes=int(config["max_bytes"]),
        messages=int(state["messages"]),
        max_age_seconds=int(config.get("max_age", 0)) / NANOSECONDS,
        first_time=_parse_time(state["first_ts"]) if state["messages"] else None,
    )


def check_reaches(state: StreamState, sequence: int) -> None:
    """Refuse a stream that ends before what was read of it: an older copy of the same store.

    Raises:
        HistoryAheadError: its next messages would be taken for ones that were read before.
    """
    if state.last_sequence < sequence:
        raise HistoryAheadError(
            stream=state.name, history_sequence=sequence, stream_sequence=state.last_sequence
        )


async def create_consumer(wire: Wire, stream: str, start: int) -> str:
    """Create an ephemeral consumer that delivers from `start` on without acks; return its name."""
    config = {
        "deliver_policy": "by_start_sequence",
        "opt_start_seq": max(start, 1),
        "ack_policy": "none",
        "replay_policy": "instant",
        "inactive_threshold": INACTIVE_SECONDS * NANOSECONDS,
        "mem_storage": True,
        "num_replicas": 1,
    }
    answer = await _api(
        wire, f"CONSUMER.CREATE.{stream}", {"stream_name": stream, "config": config}
    )
    return str(answer["name"])


def drop_consumer(wire: Wire, stream: str, consumer: str) -> None:
    """Tell the server that a consumer is of no more use; without answer, for the wire is left."""
    wire.publish(f"$JS.API.CONSUMER.DELETE.{stream}.{consumer}".encode(), b"", wire.reply_to(b"0"))


async def _api(wire: Wire, call: str, payload: object) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = await wire.request(f"$JS.API.{call}", payload)
    except (ConnectionError, TimeoutError) as error:
        reason = f"{call}: {error or 'no answer'}"
        raise BusUnavailableError(servers=_name(wire), reason=reason) from error
    if "error" in answer:
        raise BusUnavailableError(
            servers=_name(wire), reason=f"{call}: {answer['error'].get('description', 'refused')}"
        )
    return answer


@dataclass(frozen=True, slots=True)
class FoundMessage:
    """A message that is in the stream."""

    sequence: int
    stored_at: datetime

    @property
    def stored_us(self) -> int:
        """The time in microseconds since 1970; finer the server's text is not read."""
        return (self.stored_at - _EPOCH) // timedelta(microseconds=1)


async def first_message(wire: Wire, stream: str, start: int) -> FoundMessage | None:
    """Return the first message from sequence `start` on, if there is one; there may be gaps.

    Raises:
        BusUnavailableError: the server does not answer.
    """
    subject = f"$JS.API.STREAM.MSG.GET.{stream}"
    try:
        answer = await wire.request(subject, {"seq": start, "next_by_subj": ">"})
    except (ConnectionError, TimeoutError) as error:
        reason = f"{subject}: {error or 'no answer'}"
        raise BusUnavailableError(servers=_name(wire), reason=reason) from error
    if "error" in answer:
        return None
    message = answer["message"]
    return FoundMessage(int(message["seq"]), _parse_time(message["time"]))


def _name(wire: Wire) -> str:
    return f"{wire.info.get('host', '')}:{wire.info.get('port', '')}"


def _parse_time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _format_time(text: str) -> str:
    """Return the server's time in the form of `nervous_system.comms.streams.stream_identity`."""
    return _parse_time(text).isoformat(timespec="microseconds").replace("+00:00", "Z")
