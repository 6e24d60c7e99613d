"""Events to measure with: random ids, varied real text, kinds mixed as a coding swarm mixes them.

The text is the Python language reference that ships with the interpreter (`pydoc_data.topics`), cut
into sentences: real prose of some 3,000 different sentences, at hand everywhere, mixed anew for
every event.

Agents take turns at random. Each keeps its role and works inside one trace at a time, some
100 events long, so that a trace lies among the events of all others but not across the whole
history. Eight agents share a run, which lasts some 5,000 events. Files are touched by every agent
at any time: what is asked of a resource lies across everything.
"""

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pydoc_data.topics import topics
from random import Random
from time import time_ns

from nervous_system.schemas import AgentRole, SwarmEvent
from nervous_system.subjects import subject_for

NANOSECONDS = 1_000_000_000
ROLES = (AgentRole.ROLE_ARCHITECT, AgentRole.ROLE_CODER, AgentRole.ROLE_REVIEWER)
TRACE_EVENTS = 100
"""How many events of its agent a trace holds, on average."""
RUN_AGENTS = 8
RUN_EVENTS = 5_000
"""How many events of its agents a run holds, on average."""


@dataclass(frozen=True, slots=True)
class Made:
    """A generated event, ready to publish."""

    subject: str
    event_id: str
    payload: bytes


@cache
def sentences() -> tuple[str, ...]:
    """Return the sentences of the language reference, 20 to 300 characters each."""
    text = re.sub(r"\s+", " ", " ".join(topics.values()))
    return tuple(part for part in re.split(r"(?<=[.!?])\s+", text) if 20 < len(part) < 300)


class Corpus:
    """An endless supply of events from one seed."""

    def __init__(self, seed: int = 1, agents: int = 64, files: int = 2_000) -> None:
        self._random = Random(seed)  # noqa: S311 - test data, not secrets
        self._agents = [f"agent-{number:03}" for number in range(agents)]
        self._files = [f"src/package_{n % 40}/module_{n}.py" for n in range(files)]
        self._states: dict[str, str] = {}
        """The state that the last change of a file has left behind."""
        self._traces = [self._trace() for _ in range(agents)]
        self._runs = [self._uuid() for _ in range(0, agents, RUN_AGENTS)]

    def decisions(self, count: int) -> Iterator[Made]:
        """Yield `count` decisions of about 500 bytes."""
        for _ in range(count):
            yield self._finish(self._decision(), "decision")

    def mixed(self, count: int) -> Iterator[Made]:
        """Yield `count` events: six in ten decisions, three state changes, one signal."""
        for _ in range(count):
            draw = self._random.random()
            if draw < 0.6:
                yield self._finish(self._decision(), "decision")
            elif draw < 0.9:
                yield self._finish(self._state_change(), "state_change")
            else:
                yield self._finish(self._signal(), "system_signal")

    def text(self, length: int) -> str:
        """Return prose of at least `length` characters."""
        choose, pool = self._random.choice, sentences()
        text = choose(pool)
        while len(text) < length:
            text = f"{text} {choose(pool)}"
        return text

    def _uuid(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def _digest(self) -> str:
        return f"{self._random.getrandbits(256):064x}"

    def _trace(self) -> str:
        return f"{self._random.getrandbits(128):032x}"

    def _envelope(self) -> SwarmEvent:
        random = self._random
        number = random.randrange(len(self._agents))
        if random.random() < 1 / TRACE_EVENTS:
            self._traces[number] = self._trace()
        if random.random() < 1 / RUN_EVENTS:
            self._runs[number // RUN_AGENTS] = self._uuid()
        event = SwarmEvent(
            event_id=self._uuid(),
            trace_id=self._traces[number],
            span_id=f"{random.getrandbits(64):016x}",
            agent_role=ROLES[number % len(ROLES)],
            agent_id=self._agents[number],
            run_id=self._runs[number // RUN_AGENTS],
        )
        event.timestamp.seconds, event.timestamp.nanos = divmod(time_ns(), NANOSECONDS)
        return event

    def _decision(self) -> SwarmEvent:
        event = self._envelope()
        decision = event.decision
        decision.context_hash = self._digest()
        decision.input_trigger = f"issue {self._random.randrange(10_000)}"
        decision.rationale = self.text(150)
        decision.rejected_alternatives.append(self.text(30))
        decision.memory_ids.append(f"m{self._random.randrange(100_000)}")
        decision.confidence_score = self._random.random()
        return event

    def _state_change(self) -> SwarmEvent:
        event = self._envelope()
        change = event.state_change
        change.target_type = "FILE_SYSTEM"
        change.target_resource = file = self._random.choice(self._files)
        change.previous_state_hash = self._states.get(file) or self._digest()
        change.new_state_hash = self._states[file] = self._digest()
        before, after = self.text(60), self.text(60)
        line = self._random.randrange(1, 400)
        change.diff_patch = f"@@ -{line} +{line} @@\n-{before}\n+{after}\n"
        change.is_reversible = True
        change.mode = 0o644
        change.size_bytes = self._random.randrange(100, 40_000)
        return event

    def _signal(self) -> SwarmEvent:
        event = self._envelope()
        event.system_signal.status = "HEALTHY"
        event.system_signal.cpu_load_percent = self._random.randrange(100)
        event.system_signal.memory_usage_mb = self._random.randrange(50, 900)
        return event

    def _finish(self, event: SwarmEvent, kind: str) -> Made:
        return Made(
            subject=subject_for(event.agent_role, kind, event.agent_id),
            event_id=event.event_id,
            payload=event.SerializeToString(),
        )
