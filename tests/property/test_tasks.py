"""Tasks in any order of events: no completion counts twice, no task is forgotten."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from cortex.engine.claims import (
    HANDED_BACK,
    Ending,
    Outcome,
    TaskResult,
    ending_of_error,
    ending_of_result,
    taking,
)
from cortex.engine.replay import RunState, TaskView
from cortex.engine.state_machine import (
    ENDED_TASK_STATES,
    RunPhase,
    RunTrigger,
    TaskState,
    TaskTrigger,
    apply_run,
    apply_task,
)
from cortex.engine.steps import Close, Enqueue, Move, Step, next_steps, queued_tasks
from cortex.engine.tasks import Task, Transition, check_tasks
from cortex.errors import IllegalTransitionError, InvalidPlanError

RUN = "r1"
MOMENT = datetime(2026, 1, 2, tzinfo=UTC)
ENDINGS = st.sampled_from(["done", "refused", "sent_back", "error", "hand_back"])


@dataclass
class Message:
    """In the queue; `is_out` while a worker has it and its lease has not ended."""

    generation: int
    is_out: bool = False


@dataclass
class Hand:
    """A claim that a worker believes to hold."""

    view: TaskView


@dataclass
class Bus:
    """What the servers keep: transitions with conditional writes, and the queue."""

    log: list[Transition] = field(default_factory=list)
    last: dict[str, int] = field(default_factory=dict)
    queue: dict[tuple[str, int], Message] = field(default_factory=dict)

    def write(self, transition: Transition, expected: int) -> int | None:
        if self.last.get(transition.task_id, 0) != expected:
            return None
        sequence = len(self.log) + 1
        self.log.append(replace(transition, sequence=sequence, event_id=f"e{sequence}"))
        self.last[transition.task_id] = sequence
        return sequence

    def put(self, step: Enqueue) -> None:
        self.queue.setdefault((step.task_id, step.generation), Message(step.generation))

    def state(self, upto: int | None = None) -> RunState:
        return RunState.replay(RUN, self.log[:upto])


def transition(**fields: Any) -> Transition:
    return Transition(sequence=0, event_id="", run_id=RUN, agent_id="a", at=MOMENT, **fields)


def task_transition(view: TaskView, trigger: TaskTrigger, **fields: Any) -> Transition:
    state = apply_task(view.state, trigger)
    return transition(task_id=view.task.task_id, trigger=trigger, state=state, **fields)


class Swarm(RuleBasedStateMachine):
    """Clients, orchestrators that lag or die half-way, workers that fall silent and come back."""

    def __init__(self) -> None:
        super().__init__()
        self.bus = Bus()
        self.hands: list[Hand] = []
        self.bus.write(transition(phase=RunPhase.PLANNING), 0)

    # --- clients

    @precondition(lambda self: len(self.bus.state().tasks) < 6)
    @rule(data=st.data(), is_reviewed=st.booleans(), attempts=st.integers(1, 3))
    def create(self, data: st.DataObject, is_reviewed: bool, attempts: int) -> None:
        run = self.bus.state()
        known = sorted(run.tasks)
        needed = data.draw(st.lists(st.sampled_from(known), unique=True)) if known else []
        task = Task(
            task_id=f"t{len(known)}",
            run_id=RUN,
            role="coder",
            depends_on=tuple(needed),
            max_attempts=attempts,
            max_rounds=2,
            reviewer="reviewer" if is_reviewed else "",
        )
        self.bus.write(
            transition(
                task_id=task.task_id,
                trigger=TaskTrigger.CREATE,
                state=TaskState.PENDING,
                document=task.as_document(),
            ),
            0,
        )

    @rule(
        wish=st.sampled_from(
            [RunTrigger.START, RunTrigger.PAUSE, RunTrigger.RESUME, RunTrigger.CANCEL]
        )
    )
    def control(self, wish: RunTrigger) -> None:
        run = self.bus.state()
        try:
            phase = apply_run(run.phase, wish)
            if wish is RunTrigger.RESUME and not run.is_planned:
                phase = apply_run(run.phase, RunTrigger.RESUME_PLANNING)
        except IllegalTransitionError:
            return
        self.bus.write(transition(phase=phase), run.sequence)

    # --- orchestrators

    @rule(lag=st.integers(0, 5), done=st.integers(0, 8))
    def orchestrate(self, lag: int, done: int) -> None:
        """One that knows what was some time ago, and dies after a few of its steps."""
        run = self.bus.state(max(0, len(self.bus.log) - lag))
        for step in next_steps(run)[:done]:
            self.perform(run, step)

    @rule()
    def sweep(self) -> None:
        for step in queued_tasks(self.bus.state()):
            self.bus.put(step)

    def perform(self, run: RunState, step: Step) -> None:
        if isinstance(step, Move):
            view = run.tasks[step.task_id]
            self.bus.write(task_transition(view, step.trigger, reason=step.reason), view.sequence)
        elif isinstance(step, Close):
            self.bus.write(transition(phase=step.phase, reason=step.reason), run.sequence)
        else:
            self.bus.put(step)

    # --- workers

    @precondition(lambda self: any(not one.is_out for one in self.bus.queue.values()))
    @rule(data=st.data())
    def take(self, data: st.DataObject) -> None:
        free = [key for key, message in self.bus.queue.items() if not message.is_out]
        self.take_message(data.draw(st.sampled_from(sorted(free))))

    def take_message(self, key: tuple[str, int]) -> None:
        message = self.bus.queue[key]
        view = self.bus.state().tasks.get(key[0])
        trigger = taking(view, message.generation)
        if trigger is None or view is None:
            del self.bus.queue[key]
            return
        self.bus.write(task_transition(view, trigger, worker="w"), view.sequence)
        if trigger is TaskTrigger.BURY:
            del self.bus.queue[key]
            return
        message.is_out = True
        self.hands.append(Hand(self.bus.state().tasks[key[0]]))

    @rule()
    def leases_end(self) -> None:
        """Workers fall silent: others get their messages, but they may come back."""
        for message in self.bus.queue.values():
            message.is_out = False

    @precondition(lambda self: bool(self.hands))
    @rule(data=st.data(), how=ENDINGS)
    def end(self, data: st.DataObject, how: str) -> None:
        index = data.draw(st.integers(0, len(self.hands) - 1))
        self.end_hand(self.hands.pop(index), how)

    @precondition(lambda self: bool(self.hands))
    @rule(data=st.data())
    def die(self, data: st.DataObject) -> None:
        self.hands.pop(data.draw(st.integers(0, len(self.hands) - 1)))

    def end_hand(self, hand: Hand, how: str) -> None:
        view, ending = hand.view, ending_for(hand.view, how)
        stored = self.bus.write(
            task_transition(
                view, ending.trigger, fence=view.fence, document=ending.document, reason="why"
            ),
            view.sequence,
        )
        key = (view.task.task_id, view.generation)
        if stored is None or key not in self.bus.queue:
            return
        if ending.leaves_queue:
            del self.bus.queue[key]
        else:
            self.bus.queue[key].is_out = False

    # --- what holds

    @invariant()
    def no_task_is_completed_twice(self) -> None:
        for task_id in self.bus.state().tasks:
            ends = [
                one.trigger
                for one in self.bus.log
                if one.task_id == task_id
                and one.trigger in {TaskTrigger.COMPLETE, TaskTrigger.REFUSE}
            ]
            assert len(ends) <= 1

    @invariant()
    def nobody_who_writes_on_condition_is_refused(self) -> None:
        assert self.bus.state().refused_count == 0

    @invariant()
    def replay_may_stop_anywhere(self) -> None:
        whole = self.bus.state()
        for cut in {0, len(self.bus.log) // 2, len(self.bus.log)}:
            begun = RunState.replay(RUN, self.bus.log[:cut])
            assert RunState.replay(RUN, self.bus.log[cut:], begun) == whole
            assert RunState.replay(RUN, self.bus.log, begun) == whole

    def teardown(self) -> None:
        """Whatever has happened: somebody who replays now brings everything to its end."""
        self.control(RunTrigger.RESUME)
        self.control(RunTrigger.START)
        for _ in range(200):
            before = len(self.bus.log)
            self.orchestrate(0, 10_000)
            self.leases_end()
            for key in list(self.bus.queue):
                self.take_message(key)
            while self.hands:
                self.end_hand(self.hands.pop(), "done")
            if len(self.bus.log) == before and not self.bus.queue:
                break
            self.sweep()
        run = self.bus.state()
        assert run.has_ended, run
        assert all(view.state in ENDED_TASK_STATES for view in run.tasks.values()), run
        assert self.bus.queue == {}


def ending_for(view: TaskView, how: str) -> Ending:
    if how == "hand_back":
        return HANDED_BACK
    if how == "error":
        return ending_of_error(view, RuntimeError("boom"))
    return ending_of_result(view, TaskResult(outcome=Outcome(how), reason=how))


Swarm.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestSwarm = Swarm.TestCase


NOISE = st.builds(
    transition,
    task_id=st.sampled_from(["t0", "t1"]),
    trigger=st.sampled_from(list(TaskTrigger)) | st.none(),
    state=st.none(),
    worker=st.sampled_from(["a", "b"]),
    fence=st.integers(0, 12),
    document=st.just({}) | st.just(Task(task_id="t0", run_id=RUN, role="x").as_document()),
) | st.builds(transition, phase=st.sampled_from(list(RunPhase)))


@given(st.lists(NOISE, max_size=40), st.integers(0, 40))
def test_any_transitions_replay_the_same_in_two_parts(found: list[Transition], cut: int) -> None:
    log = [replace(one, sequence=number) for number, one in enumerate(found, 1)]
    whole = RunState.replay(RUN, log)
    assert RunState.replay(RUN, log[cut:], RunState.replay(RUN, log[:cut])) == whole
    assert whole.open_count == sum(not view.has_ended for view in whole.tasks.values())


@given(st.lists(NOISE, max_size=60))
def test_forged_transitions_complete_nothing_twice(found: list[Transition]) -> None:
    log = [replace(one, sequence=number) for number, one in enumerate(found, 1)]
    state, completed = RunState(run_id=RUN), set[str]()
    for one in log:
        if state.apply(one) and one.trigger is TaskTrigger.COMPLETE:
            assert one.task_id not in completed
            completed.add(one.task_id)


PLANS = st.lists(
    st.tuples(st.sampled_from("abcdef"), st.sets(st.sampled_from("abcdef"), max_size=3)),
    max_size=6,
    unique_by=lambda pair: pair[0],
)


@given(PLANS)
def test_plan_is_put_in_order_or_refused(plan: list[tuple[str, set[str]]]) -> None:
    tasks = [
        Task(task_id=name, run_id=RUN, role="x", depends_on=tuple(sorted(needed)))
        for name, needed in plan
    ]
    try:
        ordered = [task.task_id for task in check_tasks(tasks)]
    except InvalidPlanError:
        names = {name for name, _ in plan}
        assert not all(needed <= names for _, needed in plan) or has_cycle(dict(plan))
        return
    assert sorted(ordered) == sorted(task.task_id for task in tasks)
    for task in tasks:
        place = ordered.index(task.task_id)
        assert all(ordered.index(needed) < place for needed in task.depends_on)


def has_cycle(plan: dict[str, set[str]]) -> bool:
    left = dict(plan)
    while free := [name for name, needed in left.items() if not needed & left.keys()]:
        for name in free:
            del left[name]
    return bool(left)


@pytest.mark.parametrize("apply", [apply_task, apply_run])
def test_what_does_not_exist_can_only_be_created(apply: Callable[..., Any]) -> None:
    triggers = TaskTrigger if apply is apply_task else RunTrigger
    for trigger in triggers:
        if trigger.value == "create":
            assert apply(None, trigger) in {TaskState.PENDING, RunPhase.PLANNING}
            continue
        with pytest.raises(IllegalTransitionError, match="ABSENT"):
            apply(None, trigger)
