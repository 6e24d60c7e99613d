"""Reads transitions back: of one task, of a run, of all that have not ended."""

import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

import nats.errors
import nats.js.errors
from nats.js.api import RawStreamMsg

from cortex.engine.replay import RunState, TaskView
from cortex.engine.tasks import (
    RUN_PREFIX,
    TASK_PREFIX,
    Transition,
    all_subjects,
    read_transition,
    task_subjects,
)
from cortex.errors import RunNotFoundError
from nervous_system.comms.connection import redact_url, translated
from nervous_system.comms.open import Bus
from nervous_system.comms.reader import StreamReader
from nervous_system.comms.streams import COORDINATION_STREAM
from nervous_system.errors import BusUnavailableError

logger = logging.getLogger(__name__)

UNKNOWN_TIME = datetime(1970, 1, 1, tzinfo=UTC)
EVERYTHING = (f"{RUN_PREFIX}.>", f"{TASK_PREFIX}.>")


class TransitionLog:
    """The transitions on one bus."""

    def __init__(self, bus: Bus, url: str) -> None:
        self._js = bus.js
        self._servers = redact_url(url)
        self._reader = StreamReader(
            bus.nc, bus.js, servers=self._servers, stream=COORDINATION_STREAM
        )

    async def end(self) -> int:
        """Return the last sequence of the stream.

        Raises:
            BusUnavailableError: the bus is away.
        """
        return await self._reader.end_of_stream()

    async def run(self, run_id: str) -> RunState:
        """Return a run as it is now.

        Raises:
            RunNotFoundError: there is none of this id.
            BusUnavailableError: the bus is away.
        """
        state = RunState(run_id=run_id)
        async for transition in self._read(all_subjects(run_id)):
            state.apply(transition)
        if state.phase is None:
            raise RunNotFoundError(run_id=run_id)
        return state

    async def task(self, run_id: str, task_id: str) -> TaskView | None:
        """Return one task as it is now; None where there is none.

        A few lookups, which is less than a reader of its own costs for so few messages.

        Raises:
            BusUnavailableError: the bus is away.
        """
        state, sequence = RunState(run_id=run_id), 0
        pattern = task_subjects(run_id, task_id)
        while (found := await self._after(pattern, sequence)) is not None:
            sequence = int(found.seq or 0)
            transition = _of_message(found)
            if transition is not None:
                state.apply(transition)
        return state.tasks.get(task_id)

    async def last_sequence(self, run_id: str, task_id: str) -> int:
        """Return the sequence of the last transition of a task; 0 where there is none.

        Raises:
            BusUnavailableError: the bus is away.
        """
        with self._reaching():
            try:
                found = await self._js.get_msg(
                    COORDINATION_STREAM, subject=task_subjects(run_id, task_id)
                )
            except nats.js.errors.NotFoundError:
                return 0
        return int(found.seq or 0)

    async def runs(self) -> dict[str, RunState]:
        """Return all runs, oldest first, without their tasks.

        Raises:
            BusUnavailableError: the bus is away.
        """
        found: dict[str, RunState] = {}
        async for transition in self._read((f"{RUN_PREFIX}.>",)):
            run_id = transition.run_id
            found.setdefault(run_id, RunState(run_id=run_id)).apply(transition)
        return {run_id: run for run_id, run in found.items() if run.phase is not None}

    async def follow(self, start: int, *subjects: str) -> AsyncIterator[Transition]:
        """Yield transitions from a sequence on, across absences of the bus; never ends."""
        async for transition in self._read(subjects or EVERYTHING, start=start, follow=True):
            yield transition

    async def _read(
        self, subjects: Sequence[str], *, start: int = 1, follow: bool = False
    ) -> AsyncIterator[Transition]:
        async for one in self._reader.deliveries(start=start, follow=follow, subjects=subjects):
            transition = _reported(
                read_transition(one.raw, one.subject, one.sequence, one.stored_at)
            )
            if transition is not None:
                yield transition

    async def _after(self, pattern: str, sequence: int) -> RawStreamMsg | None:
        with self._reaching():
            try:
                return await self._js.get_msg(
                    COORDINATION_STREAM, seq=sequence + 1, subject=pattern, next=True
                )
            except nats.js.errors.NotFoundError:
                return None

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        with translated("reading transitions", self._servers):
            try:
                yield
            except nats.js.errors.APIError as error:
                if isinstance(error, nats.js.errors.NotFoundError):
                    raise
                reason = str(error.description or error)
                raise BusUnavailableError(servers=self._servers, reason=reason) from error


def _of_message(message: RawStreamMsg) -> Transition | None:
    subject, sequence = message.subject or "", int(message.seq or 0)
    return _reported(
        read_transition(message.data or b"", subject, sequence, message.time or UNKNOWN_TIME)
    )


def _reported(transition: Transition | None) -> Transition | None:
    if transition is not None and not transition.event_id:
        logger.warning(
            "transition cannot be read",
            extra={
                "action": "transition_unreadable",
                "sequence": transition.sequence,
                "reason": transition.reason,
            },
        )
    return transition
