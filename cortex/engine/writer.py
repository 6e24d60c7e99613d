"""Writes transitions: one conditional publish each, the operation and its event at once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cortex.engine.replay import RunState, TaskView, advance
from cortex.engine.state_machine import RunPhase, TaskTrigger, apply_task
from cortex.engine.tasks import Task, Transition, run_subjects, subject_of, task_subjects
from nervous_system import events
from nervous_system.comms.conditional import Conditional, ConditionalPublisher
from nervous_system.comms.contracts import Outgoing
from nervous_system.errors import BusError
from nervous_system.schemas import AgentRole, SwarmEvent
from nervous_system.telemetry.linking import read_carrier

Redact = Callable[[SwarmEvent], object]
"""Takes secrets out of an event's text, in place."""
WRITE_SECONDS = 10.0
MAX_REASON_CHARACTERS = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What a transition says beside its trigger."""

    worker: str = ""
    attempt: int = 0
    fence: int = 0
    document: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""


NOTHING = Note()


class TransitionWriter:
    """Writes on behalf of one agent; `Coordination` holds one."""

    def __init__(
        self, publisher: ConditionalPublisher, *, agent_id: str, role: AgentRole, redact: Redact
    ) -> None:
        self._publisher = publisher
        self._role = role
        self._redact = redact
        self.agent_id = agent_id

    async def write(self, step: Conditional, *, timeout: float = WRITE_SECONDS) -> int:
        """Store a step that one of the methods below has built, and return its sequence.

        The same step may be written again, whatever happened before.

        Raises:
            WrongSequenceError: something has happened since it was decided; nothing was stored.
            PublishTimeoutError: the outcome is unknown.
        """
        return await self._publisher.send(step, timeout=timeout)

    async def move(
        self,
        view: TaskView,
        trigger: TaskTrigger,
        note: Note = NOTHING,
        *,
        timeout: float = WRITE_SECONDS,
    ) -> TaskView:
        """Store the next step of a task and return what is known of it after that.

        Raises:
            IllegalTransitionError: the trigger does not apply.
            WrongSequenceError: something has happened to it meanwhile; nothing was stored.
            PublishTimeoutError: the outcome is unknown.
        """
        step = self.task_step(view, trigger, note)
        sequence = await self.write(step, timeout=timeout)
        return advance(
            view,
            Transition(
                sequence=sequence,
                event_id=step.outgoing.event_id,
                run_id=view.task.run_id,
                agent_id=self.agent_id,
                at=datetime.now(UTC),
                task_id=view.task.task_id,
                trigger=trigger,
                worker=note.worker,
                attempt=note.attempt,
                fence=note.fence,
                document=note.document,
                reason=note.reason,
            ),
        )

    async def write_all(
        self, steps: Sequence[Conditional], *, timeout: float = WRITE_SECONDS
    ) -> list[int | BusError]:
        """Store many steps of different tasks; each has its own outcome."""
        return await self._publisher.send_all(steps, timeout=timeout)

    def creation(self, task: Task) -> Conditional:
        """Build the step that makes a task, if there is none of its id."""
        note = Note(document=task.as_document())
        return self._task_step(task, TaskTrigger.CREATE, None, 0, note)

    def task_step(self, view: TaskView, trigger: TaskTrigger, note: Note = NOTHING) -> Conditional:
        """Build the next step of a task, on the condition that nothing has happened to it since.

        Raises:
            IllegalTransitionError: the trigger does not apply.
        """
        return self._task_step(view.task, trigger, view, view.sequence, note)

    def run_step(
        self,
        run: RunState,
        phase: RunPhase,
        *,
        document: Mapping[str, Any] | None = None,
        reason: str = "",
    ) -> Conditional:
        """Build the next step of a run, on the condition that nothing has happened to it since."""
        event = events.build(
            events.run_transition(
                state=phase, document=document or "", reason=reason[:MAX_REASON_CHARACTERS]
            ),
            role=self._role,
            agent_id=self.agent_id,
            run_id=run.run_id,
            caused_by=[run.event_id] if run.event_id else (),
        )
        return self._conditional(event, run_subjects(run.run_id), run.sequence)

    def _task_step(
        self,
        task: Task,
        trigger: TaskTrigger,
        view: TaskView | None,
        expected_sequence: int,
        note: Note,
    ) -> Conditional:
        state = apply_task(None if view is None else view.state, trigger)
        link = read_carrier(task.carrier)
        event = events.build(
            events.task_transition(
                task.task_id,
                state=state,
                trigger=trigger,
                worker=note.worker,
                attempt=note.attempt,
                fence=note.fence,
                document=note.document or "",
                reason=note.reason[:MAX_REASON_CHARACTERS],
            ),
            role=self._role,
            agent_id=self.agent_id,
            run_id=task.run_id,
            trace_id=link.trace_id,
            span_id=link.span_id,
            caused_by=link.caused_by if view is None else [view.event_id],
        )
        return self._conditional(event, task_subjects(task.run_id, task.task_id), expected_sequence)

    def _conditional(self, event: SwarmEvent, pattern: str, expected: int) -> Conditional:
        self._redact(event)
        outgoing = Outgoing(
            subject=subject_of(pattern, self.agent_id),
            payload=events.encode(event),
            event_id=event.event_id,
        )
        return Conditional(outgoing=outgoing, expected_sequence=expected, pattern=pattern)
