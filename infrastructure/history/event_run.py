"""Runs of messages read as one: events by the thousand, at half the price of one by one; pure.

A message that is nothing but events, one after another, is parsed, cleared of unknown fields and
serialised in one go. Lengths lead from one event to the next, so what comes of each is what would
come of it alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, message_factory
from google.protobuf.message import DecodeError

from nervous_system.schemas import SwarmEvent
from nervous_system.varint import varint

MAX_REMEMBERED = 65_536
_EVENTS_TAG = b"\x0a"
_CONTINUES = 0x80


@dataclass(frozen=True, slots=True)
class EventRun:
    """Messages that all are events."""

    events: list[SwarmEvent]
    """Without unknown fields."""
    canonical: Sequence[bytes]
    """Each event serialised again."""
    is_canonical: bool
    """Whether that gives the bytes of every message back."""


def read_run(payloads: Sequence[bytes]) -> EventRun | None:
    """Read messages as one; None: at least one of them is no event."""
    joined = _join(payloads)
    try:
        run = _run_class().FromString(joined)
    except DecodeError:
        return None
    run.DiscardUnknownFields()
    events = list(run.events)
    if len(events) != len(payloads):
        return None
    canonical = run.SerializeToString()
    if canonical == joined:
        return EventRun(events, payloads, is_canonical=True)
    return EventRun(events, list(_split(canonical)), is_canonical=False)


class Lengths(dict[int, bytes]):
    """Lengths as protobuf writes them, behind the tag of a field; remembered."""

    def __init__(self, tag: bytes = b"") -> None:
        super().__init__()
        self._tag = tag

    def __missing__(self, length: int) -> bytes:
        """Encode a length, and forget all others when they have become many."""
        if len(self) >= MAX_REMEMBERED:
            self.clear()
        self[length] = found = self._tag + varint(length)
        return found


_starts = Lengths(_EVENTS_TAG)


def _join(payloads: Sequence[bytes]) -> bytes:
    parts = [b""] * (2 * len(payloads))
    parts[0::2] = map(_starts.__getitem__, map(len, payloads))
    parts[1::2] = payloads
    return b"".join(parts)


def _split(joined: bytes) -> Iterator[bytes]:
    """Yield the events of a serialised run."""
    at, end = 0, len(joined)
    while at < end:
        at += len(_EVENTS_TAG)
        size, shift = 0, 0
        while (byte := joined[at]) >= _CONTINUES:
            size |= (byte - _CONTINUES) << shift
            shift += 7
            at += 1
        at += 1
        size |= byte << shift
        yield joined[at : at + size]
        at += size


@cache
def _run_class() -> Any:
    """Return the class of a message that is nothing but events, one after another."""
    event, kind = SwarmEvent.DESCRIPTOR, descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(
        name="enchanted/history/run.proto", package="enchanted.history", syntax="proto3"
    )
    file.dependency.append(event.file.name)
    file.message_type.add(name="Run").field.add(
        name="events",
        number=1,
        label=kind.LABEL_REPEATED,
        type=kind.TYPE_MESSAGE,
        type_name=f".{event.full_name}",
    )
    pool: Any = event.file.pool
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("enchanted.history.Run"))
