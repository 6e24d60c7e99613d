"""Decodes messages by the thousand, with the outcome that the ingestor's `decode` has; pure.

Parsing, discarding and serialising a few thousand events as one message takes half the time that
they take one by one. Where one of them does not decode, its run is left to `decode`.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, message_factory
from google.protobuf.message import DecodeError

from infrastructure.ingestor.decoding import UNKNOWN, Decoded, all_uuids, decode
from infrastructure.ingestor.encoding import varint
from nervous_system.schemas import SwarmEvent

RUN_MESSAGES = 4_096
"""Messages that are decoded as one."""
_EVENTS_TAG = b"\x0a"
_STARTS = [_EVENTS_TAG + varint(size) for size in range(8192)]
_CONTINUES = 0x80


def decode_runs(payloads: Sequence[bytes]) -> tuple[Decoded, list[SwarmEvent]]:
    """Return what `decode` returns, and the event of each of its `numbered`."""
    found, events = Decoded(), list[SwarmEvent]()
    for start in range(0, len(payloads), RUN_MESSAGES):
        run = payloads[start : start + RUN_MESSAGES]
        if not _add_run(found, events, run, start):
            _add_singly(found, events, run, start)
    return found, events


def _add_run(
    found: Decoded, events: list[SwarmEvent], payloads: Sequence[bytes], start: int
) -> bool:
    """Decode a run as one message; False: one of them is no event."""
    joined = _join(payloads)
    try:
        run = _run_class().FromString(joined)
    except DecodeError:
        return False
    run.DiscardUnknownFields()
    parsed: list[SwarmEvent] = list(run.events)
    event_ids = [event.event_id for event in parsed]
    if len(parsed) != len(payloads) or not all_uuids(event_ids):
        return False
    canonical = run.SerializeToString()
    found.canonical += payloads if canonical == joined else _split(canonical)
    found.event_ids += event_ids
    found.kinds += [event.WhichOneof("payload") or UNKNOWN for event in parsed]
    found.agents += [event.agent_id for event in parsed]
    for at, event in enumerate(parsed, start):
        if (number := event.emitter_seq) and (emitter := event.emitter_id):
            found.numbered.append((at, emitter, number))
            events.append(event)
    return True


def _add_singly(
    found: Decoded, events: list[SwarmEvent], payloads: Sequence[bytes], start: int
) -> None:
    one = decode(payloads)
    found.canonical += one.canonical
    found.kinds += one.kinds
    found.agents += one.agents
    found.event_ids += one.event_ids
    found.reasons.update((start + at, reason) for at, reason in one.reasons.items())
    found.numbered += [(start + at, emitter, number) for at, emitter, number in one.numbered]
    events += [SwarmEvent.FromString(one.canonical[at]) for at, _, _ in one.numbered]


def _join(payloads: Sequence[bytes]) -> bytes:
    parts = [b""] * (2 * len(payloads))
    sizes = map(len, payloads)
    parts[0::2] = [_STARTS[one] if one < 8192 else _EVENTS_TAG + varint(one) for one in sizes]
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
    event = SwarmEvent.DESCRIPTOR
    file = descriptor_pb2.FileDescriptorProto(
        name="enchanted/verify/run.proto", package="enchanted.verify", syntax="proto3"
    )
    file.dependency.append(event.file.name)
    kind = descriptor_pb2.FieldDescriptorProto
    file.message_type.add(name="Run").field.add(
        name="events",
        number=1,
        label=kind.LABEL_REPEATED,
        type=kind.TYPE_MESSAGE,
        type_name=f".{event.full_name}",
    )
    pool: Any = event.file.pool
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("enchanted.verify.Run"))
