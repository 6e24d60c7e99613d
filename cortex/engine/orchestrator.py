"""The orchestrator: brings every run on, step by step, until it ends.

It keeps nothing of its own. What it knows is replayed from the transitions, what it does is decided
by `steps` from that alone, and each step is written on the condition that the state is still the
one it was decided in. So it can be killed at any point and any number may run: whoever comes later
replays, finds what is left to be done, and does it.
"""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from cortex.engine.coordination import Coordination
from cortex.engine.queue import subject_of_message
from cortex.engine.replay import RunState, TaskView
from cortex.engine.steps import Close, Enqueue, Move, Step, next_steps, queued_tasks, touched_by
from cortex.engine.tasks import Transition
from cortex.engine.writer import Note
from cortex.errors import RunNotFoundError
from nervous_system.comms.conditional import Conditional
from nervous_system.comms.pausing import pause
from nervous_system.comms.running import end_task
from nervous_system.errors import BusError, WrongSequenceError

logger = logging.getLogger(__name__)

SWEEP = timedelta(seconds=30)
RETRY_SECONDS = 0.5
MAX_READ_AHEAD = 2_000
ALL_TASKS = None

Touched = dict[str, set[str] | None]
"""Run id to the tasks whose next steps may have changed; None: all of them."""


@dataclass(slots=True)
class _Done:
    """What this process has written for a run and not read back yet.

    Doing it again would do no harm, but cost a refusal for each.
    """

    moved: dict[str, int] = field(default_factory=dict)
    """Task id to the sequence of its step."""
    queued: dict[str, int] = field(default_factory=dict)
    """Task id to the generation that was put into the queue."""

    def is_moving(self, run: RunState, task_id: str) -> bool:
        """Whether a step of that task is on its way back."""
        return self.moved.get(task_id, 0) > run.tasks[task_id].sequence

    def note_moves(self, moves: Sequence[Move], results: Sequence[int | BusError]) -> None:
        """Remember what was stored."""
        for move, result in zip(moves, results, strict=False):  # the run's own step comes last
            if isinstance(result, int):
                self.moved[move.task_id] = result

    def note_queued(self, views: Sequence[TaskView], results: Sequence[int | BusError]) -> None:
        """Remember what lies in the queue."""
        for view, result in zip(views, results, strict=True):
            if isinstance(result, int | WrongSequenceError):
                self.queued[view.task.task_id] = view.generation


class Orchestrator:
    """A service that brings runs on. Any number of them may run at the same time."""

    def __init__(self, coordination: Coordination, *, sweep: timedelta = SWEEP) -> None:
        """Store what it works with.

        Args:
            coordination: Its part in runs.
            sweep: How often it makes sure that every task that should be in the queue is.
        """
        self._log = coordination.log
        self._writer = coordination.writer
        self._queue = coordination.queue
        self._sweep_seconds = sweep.total_seconds()
        self._runs: dict[str, RunState] = {}
        self._touched: Touched = {}
        self._done: dict[str, _Done] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, across absences of the bus."""
        arriving: asyncio.Queue[Transition] = asyncio.Queue(MAX_READ_AHEAD)
        start = await self._load_open(stop)
        if start is None:
            return
        reading = asyncio.create_task(self._read(start, arriving), name="orchestrator's reader")
        sweeping = asyncio.create_task(self._sweep_for_ever(), name="orchestrator's sweep")
        stopping = asyncio.create_task(stop.wait(), name="orchestrator's end")
        try:
            await self._bring_on()
            while not stop.is_set():
                if await self._take(arriving, {reading, sweeping, stopping}):
                    await self._bring_on()
        finally:
            for task in (reading, sweeping, stopping):
                await end_task(task)

    # --- knowing

    async def _load_open(self, stop: asyncio.Event) -> int | None:
        """Replay every run that has not ended; return where to go on. None: stopped before."""
        while not stop.is_set():
            try:
                start = await self._log.end() + 1
                for run_id, run in (await self._log.runs()).items():
                    if not run.has_ended:
                        await self._load(run_id)
            except BusError as error:
                logger.info(
                    "bus away", extra={"action": "orchestrator_waits", "reason": str(error)}
                )
                await pause(stop, RETRY_SECONDS)
            else:
                logger.info(
                    "replayed", extra={"action": "orchestrator_replayed", "runs": len(self._runs)}
                )
                return start
        return None

    async def _load(self, run_id: str) -> None:
        try:
            self._runs[run_id] = await self._log.run(run_id)
        except RunNotFoundError:
            return  # tasks of a run that was never made
        self._touched[run_id] = ALL_TASKS

    async def _read(self, start: int, arriving: "asyncio.Queue[Transition]") -> None:
        async for transition in self._log.follow(start):
            await arriving.put(transition)

    async def _take(
        self, arriving: "asyncio.Queue[Transition]", others: "set[asyncio.Task[Any]]"
    ) -> bool:
        """Wait for something to happen and learn it; False where it is time to stop."""
        getting = asyncio.ensure_future(arriving.get())
        wait_seconds = RETRY_SECONDS if self._touched else None
        done, _ = await asyncio.wait(
            {getting, *others}, timeout=wait_seconds, return_when=asyncio.FIRST_COMPLETED
        )
        if getting in done:
            await self._learn(getting.result())
        else:
            await end_task(getting)
        while not arriving.empty():
            await self._learn(arriving.get_nowait())
        for task in done & others:
            task.result()  # none of them ends by itself, unless with an error
            return False
        return True

    async def _learn(self, transition: Transition) -> None:
        run = self._runs.get(transition.run_id)
        if run is None:
            await self._load_patiently(transition.run_id)
            return
        run.apply(transition)
        if not transition.task_id:
            self._touched[run.run_id] = ALL_TASKS
            return
        touched = self._touched.setdefault(run.run_id, set())
        if touched is not None:
            touched.update(touched_by(run, transition.task_id))

    async def _load_patiently(self, run_id: str) -> None:
        while True:
            try:
                await self._load(run_id)
            except BusError:
                await asyncio.sleep(RETRY_SECONDS)
            else:
                return

    # --- doing

    async def _bring_on(self) -> None:
        """Do what is to be done; what could not be written now stays touched."""
        touched, self._touched = self._touched, {}
        for run_id, task_ids in touched.items():
            run = self._runs[run_id]
            if not await self._do(run, next_steps(run, task_ids)):
                self._touch_again(run_id, task_ids)
            elif run.has_ended and not run.open_count:
                del self._runs[run_id]
                self._done.pop(run_id, None)

    def _touch_again(self, run_id: str, task_ids: set[str] | None) -> None:
        if task_ids is None or self._touched.get(run_id, task_ids) is None:
            self._touched[run_id] = ALL_TASKS
        else:
            self._touched[run_id] = task_ids | (self._touched.get(run_id) or set())

    async def _do(self, run: RunState, steps: Sequence[Step]) -> bool:
        """Perform steps; False where one has to be tried again."""
        done = self._done.setdefault(run.run_id, _Done())
        moves = [
            step
            for step in steps
            if isinstance(step, Move) and not done.is_moving(run, step.task_id)
        ]
        queued = [
            run.tasks[step.task_id]
            for step in steps
            if isinstance(step, Enqueue) and done.queued.get(step.task_id) != step.generation
        ]
        closing = [step for step in steps if isinstance(step, Close)]
        written = [self._move(run.tasks[move.task_id], move) for move in moves]
        written += [self._closing(run, step) for step in closing]
        results = await self._writer.write_all(written) if written else []
        done.note_moves(moves, results)
        if queued:
            answers = await self._queue.put(queued)
            done.note_queued(queued, answers)
            results += answers
        return _report(results)

    def _move(self, view: TaskView, move: Move) -> Conditional:
        return self._writer.task_step(view, move.trigger, Note(reason=move.reason))

    def _closing(self, run: RunState, step: Close) -> Conditional:
        outcome = {"tasks": run.counts()}
        return self._writer.run_step(run, step.phase, document=outcome, reason=step.reason)

    # --- making sure

    async def _sweep_for_ever(self) -> None:
        while True:
            try:
                for run in tuple(self._runs.values()):
                    await self._sweep(run)
            except BusError as error:
                logger.info("sweep put off", extra={"action": "sweep", "reason": str(error)})
            await asyncio.sleep(self._sweep_seconds)

    async def _sweep(self, run: RunState) -> None:
        """Put into the queue what should be there and is not.

        As when this process's predecessor died between a release and its message.
        """
        present = await self._queue.subjects(run.run_id)
        views = [run.tasks[step.task_id] for step in queued_tasks(run)]
        missing = [view for view in views if subject_of_message(view) not in present]
        if missing:
            _report(await self._queue.put(missing))


def _report(results: Iterable[int | BusError]) -> bool:
    """Whether every write has an outcome; losing to a rival is one."""
    is_settled = True
    for result in results:
        if isinstance(result, BusError) and not isinstance(result, WrongSequenceError):
            logger.warning("step put off", extra={"action": "step", "reason": str(result)})
            is_settled = False
    return is_settled
