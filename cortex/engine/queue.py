"""The work queue: which task is waiting for whom, in which order.

A message stands for a task that was put into the queue once, at a `generation`, on a subject that
holds both; writing is conditioned on that subject being empty, so there is never more than one. It
is removed when that stay in the queue is over: whoever finds that it has ended may remove it. Until
then the server hands it to one worker at a time, and to the next one when the worker falls silent.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import nats.errors
import nats.js.errors
from nats.aio.msg import Msg
from nats.js import api

from cortex.engine.replay import TaskView
from cortex.engine.state_machine import TaskState
from cortex.engine.tasks import PRIORITIES, parse_task
from cortex.errors import CortexError, InvalidPlanError
from nervous_system.comms.conditional import Conditional, ConditionalPublisher
from nervous_system.comms.connection import redact_url, translated
from nervous_system.comms.contracts import Outgoing
from nervous_system.comms.open import Bus
from nervous_system.comms.reader import parse_origin
from nervous_system.comms.streams import TASKS_STREAM
from nervous_system.errors import BusError, BusUnavailableError
from nervous_system.events import new_event_id
from nervous_system.subjects import escape_token

logger = logging.getLogger(__name__)

QUEUE_PREFIX = "swarm.tasks"
DEFAULT_LEASE = timedelta(seconds=30)
MAX_UNDER_WAY = 100_000
"""Messages of one role and priority that are with workers, or wait for their next attempt."""
ANSWER_SECONDS = 2.0
TOGETHER_SECONDS = 0.001
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
ACK: Final = b"+ACK"
NAK: Final = b"-NAK"
TERM: Final = b"+TERM"
IN_PROGRESS: Final = b"+WPI"
_NO_MESSAGES = frozenset({"404", "408"})


@dataclass(frozen=True, slots=True)
class TaskMessage:
    """A task that was handed to this worker, until it says what has become of it."""

    view: TaskView
    """The task as it was when it was put into the queue."""
    reply: str
    delivery: int
    """From 1; above it, somebody had it before."""


def subject_of_message(view: TaskView) -> str:
    """Return the subject of the message that stands for a task's present stay in the queue."""
    task = view.task
    run, name = escape_token(task.run_id), escape_token(task.task_id)
    role = escape_token(view.queue_role)
    return f"{QUEUE_PREFIX}.{role}.{task.priority}.{run}.{name}.{view.generation}"


def encode_message(view: TaskView) -> bytes:
    """Return what a worker needs to know of a task; `decode_message` is the inverse."""
    document: dict[str, Any] = {
        "task": view.task.as_document(),
        "generation": view.generation,
        "attempt": view.attempt,
        "round": view.round,
        "is_in_review": view.is_in_review,
        "result": dict(view.result),
        "verdict": dict(view.verdict),
        "reason": view.reason,
        "event_id": view.event_id,
    }
    return json.dumps(document).encode()


def decode_message(raw: bytes) -> TaskView:
    """Return the task in a message, as it was when it was put into the queue.

    Raises:
        InvalidPlanError: the bytes are no such message.
    """
    try:
        document = json.loads(raw)
        generation = int(document["generation"])
        is_in_review = bool(document["is_in_review"])
        return TaskView(
            task=parse_task(document["task"]),
            state=TaskState.REVIEW if is_in_review else TaskState.READY,
            sequence=generation,
            changed_sequence=generation,
            changed_at=LONG_AGO,
            attempt=int(document["attempt"]),
            round=int(document["round"]),
            is_in_review=is_in_review,
            generation=generation,
            result=document["result"],
            verdict=document["verdict"],
            reason=document["reason"],
            event_id=document["event_id"],
        )
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidPlanError(task_id="", reason=f"message of the queue: {error!r}") from error


class TaskQueue:
    """The queue of one bus."""

    def __init__(self, bus: Bus, publisher: ConditionalPublisher, url: str) -> None:
        self._bus = bus
        self._publisher = publisher
        self._servers = redact_url(url)

    async def put(self, views: Sequence[TaskView]) -> list[int | BusError]:
        """Put tasks into the queue; WrongSequenceError: it lies there already."""
        return await self._publisher.send_all([_conditional(view) for view in views])

    async def subjects(self, run_id: str) -> set[str]:
        """Return the subjects of all messages of one run.

        Raises:
            BusUnavailableError: the bus is away.
        """
        pattern = f"{QUEUE_PREFIX}.*.*.{escape_token(run_id)}.>"
        with translated("looking into the queue", self._servers):
            info = await self._bus.js.stream_info(TASKS_STREAM, subjects_filter=pattern)
        return set(info.state.subjects or ())

    @asynccontextmanager
    async def source(
        self, role: str, lease: timedelta | None = None
    ) -> AsyncIterator["TaskSource"]:
        """Open the tasks of a role.

        Args:
            role: Whose.
            lease: How long a worker may be silent before its task goes to the next one; the same
                for all workers of the role. By default what is set already, else 30 s.

        Raises:
            BusUnavailableError: the bus is away.
        """
        source = TaskSource(self._bus, self._servers, role)
        await source.bind(lease)
        try:
            yield source
        finally:
            await asyncio.shield(source.close())


def _conditional(view: TaskView) -> Conditional:
    subject = subject_of_message(view)
    # an id of its own: the server would take a message that was lost for one that it has
    outgoing = Outgoing(subject=subject, payload=encode_message(view), event_id=new_event_id())
    return Conditional(outgoing=outgoing, expected_sequence=0)


class TaskSource:
    """Hands out the tasks of one role, one at a time. Made by `TaskQueue.source`."""

    def __init__(self, bus: Bus, servers: str, role: str) -> None:
        self._client = bus.nc
        self._js = bus.js
        self._servers = servers
        self._role = escape_token(role)
        self._inbox = bus.nc.new_inbox()
        self._waiter: asyncio.Future[TaskMessage | None] | None = None
        self._asked: dict[str, None] = {}
        """Reply subjects of requests that the present waiter has sent and that are not answered."""
        self._unsent: list[bytes] = []
        self._count = 0
        self._is_interrupted = False
        self.lease = DEFAULT_LEASE
        """How long the server waits for a sign of life."""

    async def bind(self, lease: timedelta | None) -> None:
        """Make the consumers where they are missing, and listen."""
        with translated("opening the queue", self._servers):
            for priority in PRIORITIES:
                await self._ensure(priority, lease)
            self._subscription = await self._client.subscribe(f"{self._inbox}.*", cb=self._take)

    async def next(self, patience: float) -> TaskMessage | None:
        """Return a task, those of higher priority first; None if none comes in time.

        Args:
            patience: Seconds to wait where there is none now.

        Raises:
            BusUnavailableError: the bus is away.
        """
        for priority in PRIORITIES:
            if self._is_interrupted:
                return None
            found = await self._ask([priority], {"batch": 1, "no_wait": True}, ANSWER_SECONDS)
            if found is not None:
                return found
        request = {"batch": 1, "expires": int(patience * 1e9)}
        return await self._ask(PRIORITIES, request, patience + ANSWER_SECONDS)

    def interrupt(self) -> None:
        """Hand out nothing more: `next` returns None, also where it is waiting now."""
        self._is_interrupted = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def done(self, message: TaskMessage) -> None:
        """Remove it: this stay in the queue is over."""
        self._answer(message, ACK)

    def give_back(self, message: TaskMessage, delay: float = 0.0) -> None:
        """Let another worker have it, after so many seconds."""
        self._answer(message, NAK + (b' {"delay": %d}' % int(delay * 1e9) if delay else b""))

    def keep(self, message: TaskMessage) -> None:
        """Say that it is being worked on: the lease begins anew."""
        self._answer(message, IN_PROGRESS)

    async def close(self) -> None:
        """Take no more; what arrives meanwhile goes back."""
        self._flush()
        with suppress(nats.errors.Error, OSError):
            if self._client.is_connected:
                await self._subscription.drain()  # type: ignore[no-untyped-call] # as in nats-py

    async def _ensure(self, priority: int, lease: timedelta | None) -> None:
        name = self._consumer(priority)
        try:
            info = await self._js.consumer_info(TASKS_STREAM, name)
        except nats.js.errors.NotFoundError:
            info = await self._js.add_consumer(
                TASKS_STREAM, self._config(priority, lease or DEFAULT_LEASE)
            )
        found = timedelta(seconds=float(info.config.ack_wait or 0)) or DEFAULT_LEASE
        if lease is not None and found != lease:
            await self._js.add_consumer(TASKS_STREAM, self._config(priority, lease))
            found = lease
        self.lease = found

    def _config(self, priority: int, lease: timedelta) -> api.ConsumerConfig:
        return api.ConsumerConfig(
            durable_name=self._consumer(priority),
            filter_subject=f"{QUEUE_PREFIX}.{self._role}.{priority}.>",
            ack_policy=api.AckPolicy.EXPLICIT,
            ack_wait=lease.total_seconds(),
            max_ack_pending=MAX_UNDER_WAY,
        )

    def _consumer(self, priority: int) -> str:
        return f"{self._role}-{priority}"

    async def _ask(
        self, priorities: Sequence[int], request: dict[str, Any], seconds: float
    ) -> TaskMessage | None:
        """Ask the consumers of some priorities at once; the first task wins, others go back."""
        waiter: asyncio.Future[TaskMessage | None] = asyncio.get_running_loop().create_future()
        self._waiter = waiter
        body = json.dumps(request).encode()
        found: TaskMessage | None = None
        try:
            for priority in priorities:
                self._count += 1
                reply = f"{self._inbox}.{self._count}"
                self._asked[reply] = None
                self._unsent.append(_frame(self._next_subject(priority), body, reply))
            if not self._flush():
                raise BusUnavailableError(servers=self._servers, reason="not connected")
            async with asyncio.timeout(seconds):
                found = await waiter
        except TimeoutError as error:
            raise BusUnavailableError(servers=self._servers, reason="no answer") from error
        finally:
            self._waiter = None
            self._asked.clear()
            self._let_go(waiter, found)
        return found

    def _let_go(
        self, waiter: "asyncio.Future[TaskMessage | None]", found: TaskMessage | None
    ) -> None:
        """Give back what came when the wait was over; it must not lie until the lease ends."""
        if not waiter.done() or waiter.cancelled():
            waiter.cancel()
            return
        unseen = None if waiter.exception() else waiter.result()
        if unseen is not None and unseen is not found:
            self.give_back(unseen)

    def _next_subject(self, priority: int) -> str:
        return f"$JS.API.CONSUMER.MSG.NEXT.{TASKS_STREAM}.{self._consumer(priority)}"

    async def _take(self, message: Msg) -> None:
        """Hand a delivery to who waits; without one it goes back at once."""
        status = (message.headers or {}).get("Status")
        if status is not None and not message.reply:
            self._take_status(message.subject, status)
            return
        try:
            delivery = parse_origin(message.reply).attempt
            found = TaskMessage(decode_message(message.data), message.reply, delivery)
        except CortexError as error:
            logger.warning(
                "message of the queue is no task",
                extra={"action": "queue_unreadable", "reason": str(error)},
            )
            await self._client.publish(message.reply, TERM)
            return
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(found)
        else:
            self.give_back(found)

    def _take_status(self, subject: str, status: str) -> None:
        """Without any request left that could be answered by a task, nobody need wait."""
        if subject not in self._asked:
            return
        del self._asked[subject]
        waiter = self._waiter
        if self._asked or waiter is None or waiter.done():
            return
        if status in _NO_MESSAGES:
            waiter.set_result(None)
        else:
            reason = f"the queue answers {status}"
            waiter.set_exception(BusUnavailableError(servers=self._servers, reason=reason))

    def _answer(self, message: TaskMessage, answer: bytes) -> None:
        """Write soon, together with what comes next: most answers are followed by a request."""
        if not self._unsent:
            asyncio.get_running_loop().call_later(TOGETHER_SECONDS, self._flush)
        self._unsent.append(_frame(message.reply, answer))

    def _flush(self) -> bool:
        """Write what is to be written; without a connection the leases run out instead."""
        frames, self._unsent = b"".join(self._unsent), []
        if not self._client.is_connected:
            return False
        if frames:
            self._client.write_frames(frames)
        return True


def _frame(subject: str, body: bytes, reply: str = "") -> bytes:
    """Return the protocol bytes of a publish."""
    names = f"{subject} {reply}" if reply else subject
    return b"PUB %b %d\r\n%b\r\n" % (names.encode(), len(body), body)
