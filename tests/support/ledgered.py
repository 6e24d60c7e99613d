"""Events appended to history in batches of chosen sizes, as the ingestor encodes them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from infrastructure.history.client import HistoryClient
from infrastructure.ingestor.decoding import MESSAGE, decode, stored_schema
from infrastructure.ingestor.emitters import EmitterTracker
from infrastructure.ingestor.encoding import Batch, Envelopes
from infrastructure.ingestor.ledger import Head
from nervous_system.schemas import SwarmEvent
from tests.support.builders import build_decision, build_event, build_signal, subject_of

STREAM = "ENCHANTED_SWARM"


@dataclass(slots=True)
class ChainedEmitter:
    """Numbers events and links them, as the SDK does."""

    emitter_id: str
    number: int = 0
    digest: bytes = b""
    agent_id: str = "coder-1"

    def stamp(self, event: SwarmEvent) -> tuple[str, bytes]:
        """Return subject and bytes of the next event."""
        self.number += 1
        event.emitter_id, event.emitter_seq = self.emitter_id, self.number
        event.agent_id, event.previous_digest = self.agent_id, self.digest
        raw = event.SerializeToString()
        self.digest = sha256(raw).digest()
        return subject_of(event), raw

    def decide(self, rationale: str = "split adapter") -> tuple[str, bytes]:
        return self.stamp(build_event(build_decision(rationale)))

    def stop(self) -> tuple[str, bytes]:
        return self.stamp(build_event(build_signal("STOPPED", final_count=self.number + 1)))


def life_of(emitter_id: str, count: int) -> list[tuple[str, bytes]]:
    """Return subjects and bytes of a whole life: `count` events, the last one STOPPED."""
    emitter = ChainedEmitter(emitter_id)
    return [emitter.decide(f"step {number}") for number in range(count - 1)] + [emitter.stop()]


@dataclass(slots=True)
class Appender:
    """Appends messages to history as the ingestor would."""

    client: HistoryClient
    identity: str
    stream: str = STREAM
    head: Head = field(default_factory=lambda: Head(STREAM, 0))
    tracker: EmitterTracker = field(default_factory=EmitterTracker)
    heads: list[Head] = field(default_factory=list)

    def append(self, messages: Iterable[tuple[int, str, bytes]]) -> Head:
        """Append one batch and return the head after it."""
        listed = list(messages)
        decoded = decode([raw for _, _, raw in listed])
        self.tracker.learn(self.tracker.missing(decoded.numbered), ())
        batch = Batch(self.head, self.identity)
        batch.add(
            [sequence for sequence, _, _ in listed],
            [subject.encode() for _, subject, _ in listed],
            [raw for _, _, raw in listed],
            decoded,
            self.tracker.mark(decoded.numbered),
            Envelopes(),
        )
        self.head = batch.close()
        self.client.insert_protobuf(
            "swarm.events_input",
            batch.parts,
            schema=stored_schema(),
            message=MESSAGE,
            row_count=batch.row_count,
        )
        self.heads.append(self.head)
        return self.head

    def append_all(self, messages: Sequence[tuple[int, str, bytes]], size: int) -> None:
        """Append messages in batches of `size`."""
        for start in range(0, len(messages), size):
            self.append(messages[start : start + size])
