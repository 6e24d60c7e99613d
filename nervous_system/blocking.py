"""The nervous system for programs without an event loop.

One implementation serves both: an event loop runs in a thread of its own, and every call here runs
the asynchronous one there, in the caller's context, so that spans opened in the calling thread are
the ones that its events belong to.
"""

import asyncio
import threading
from collections.abc import AsyncGenerator, Awaitable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import CancelledError, Future
from contextlib import AbstractAsyncContextManager, AbstractContextManager, contextmanager
from datetime import datetime
from os import PathLike
from pathlib import Path
from typing import TypeVar, Unpack

from opentelemetry.trace import Span

from nervous_system import swarm as asynchronous
from nervous_system.agent import Agent as AsyncAgent
from nervous_system.comms.contracts import Receipt, StoredEvent
from nervous_system.config import SwarmConfig
from nervous_system.events import Payload
from nervous_system.options import Causes, EmitOptions
from nervous_system.schemas import AgentRole, SwarmEvent
from nervous_system.subjects import ALL_EVENTS
from nervous_system.swarm import Swarm as AsyncSwarm
from nervous_system.telemetry.spans import AttributeValue

T = TypeVar("T")


class LoopThread:
    """An event loop in a thread; `run_loop_thread` starts and ends it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def call(self, awaitable: Awaitable[T]) -> T:
        """Await something in the loop, in the caller's context, and return its result."""
        result = asyncio.run_coroutine_threadsafe(_await(awaitable), self._loop)
        try:
            return result.result()
        except KeyboardInterrupt:
            result.cancel()
            raise

    @contextmanager
    def open(self, manager: AbstractAsyncContextManager[T]) -> Iterator[T]:
        """Enter and leave an asynchronous context manager in the loop, in one task."""
        entered: Future[T] = Future()
        leave: Future[BaseException | None] = Future()
        done = asyncio.run_coroutine_threadsafe(_hold(manager, entered, leave), self._loop)
        done.add_done_callback(lambda ended: _tell(ended, entered))
        value = entered.result()
        try:
            yield value
        except BaseException as error:
            leave.set_result(error)
            _wait(done, error)
            raise
        else:
            leave.set_result(None)
            done.result()


@contextmanager
def run_loop_thread() -> Iterator[LoopThread]:
    """Run an event loop in a thread for the length of the block."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="nervous-system", daemon=True)
    thread.start()
    try:
        yield LoopThread(loop)
    finally:
        asyncio.run_coroutine_threadsafe(loop.shutdown_default_executor(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


class Agent:
    """One life of an agent; as `nervous_system.agent.Agent`, whose calls are described there."""

    def __init__(self, agent: AsyncAgent, loop: LoopThread) -> None:
        self._agent = agent
        self._loop = loop

    @property
    def agent_id(self) -> str:
        """Unique name of the agent."""
        return self._agent.agent_id

    @property
    def run_id(self) -> str:
        """The run that it takes part in."""
        return self._agent.run_id

    @property
    def emitted_count(self) -> int:
        """How many events this life has numbered."""
        return self._agent.emitted_count

    @property
    def lost_count(self) -> int:
        """How many events could not be kept."""
        return self._agent.lost_count

    def decide(
        self,
        *,
        rationale: str,
        rejected_alternatives: Iterable[str] = (),
        confidence: float = 0.0,
        input_trigger: str = "",
        context_hash: str = "",
        memory_ids: Iterable[str] = (),
        **options: Unpack[EmitOptions],
    ) -> Receipt:
        """Publish a decision."""
        return self._loop.call(
            self._agent.decide(
                rationale=rationale,
                rejected_alternatives=rejected_alternatives,
                confidence=confidence,
                input_trigger=input_trigger,
                context_hash=context_hash,
                memory_ids=memory_ids,
                **options,
            )
        )

    def change_file(
        self,
        path: str | bytes | PathLike[str] | PathLike[bytes],
        *,
        before: bytes | None,
        after: bytes | None,
        mode: int = 0,
        renamed_from: str | bytes | PathLike[str] | PathLike[bytes] | None = None,
        **options: Unpack[EmitOptions],
    ) -> Receipt:
        """Keep a file's contents and publish the change."""
        return self._loop.call(
            self._agent.change_file(
                path, before=before, after=after, mode=mode, renamed_from=renamed_from, **options
            )
        )

    def change_value(
        self,
        target_type: str,
        resource: str,
        *,
        before: object,
        after: object,
        **options: Unpack[EmitOptions],
    ) -> Receipt:
        """Publish the change of a value."""
        return self._loop.call(
            self._agent.change_value(target_type, resource, before=before, after=after, **options)
        )

    def signal(self, status: str, *, detail: str = "", **options: Unpack[EmitOptions]) -> Receipt:
        """Publish how the agent is doing."""
        return self._loop.call(self._agent.signal(status, detail=detail, **options))

    def emit(self, payload: Payload, **options: Unpack[EmitOptions]) -> Receipt:
        """Publish an event around any payload."""
        return self._loop.call(self._agent.emit(payload, **options))

    def span(
        self,
        name: str,
        *,
        attributes: Mapping[str, AttributeValue] | None = None,
        parent: Mapping[str, str] | None = None,
    ) -> AbstractContextManager[Span]:
        """Run a block inside a span; events made inside carry its ids."""
        return self._agent.span(name, attributes=attributes, parent=parent)

    def tool_span(
        self,
        tool: str,
        *,
        call_id: str = "",
        attributes: Mapping[str, AttributeValue] | None = None,
        parent: Mapping[str, str] | None = None,
    ) -> AbstractContextManager[Span]:
        """Run a block inside the span of a tool's execution."""
        return self._agent.tool_span(tool, call_id=call_id, attributes=attributes, parent=parent)

    def carrier(self, *, caused_by: Causes = ()) -> dict[str, str]:
        """Return what work handed over now should take along."""
        return self._agent.carrier(caused_by=caused_by)


class Swarm:
    """An open connection; as `nervous_system.swarm.Swarm`."""

    def __init__(self, swarm: AsyncSwarm, loop: LoopThread) -> None:
        self._swarm = swarm
        self._loop = loop

    @property
    def run_id(self) -> str:
        """Run id of agents that are given none."""
        return self._swarm.run_id

    @contextmanager
    def agent(
        self,
        agent_id: str = "",
        *,
        role: AgentRole | str = AgentRole.ROLE_UNSPECIFIED,
        run_id: str = "",
        name: str = "",
        workspace_id: str = "",
    ) -> Iterator[Agent]:
        """Give an agent a voice: STARTING on entering, STOPPED on leaving."""
        manager = self._swarm.agent(
            agent_id, role=role, run_id=run_id, name=name, workspace_id=workspace_id
        )
        with self._loop.open(manager) as agent:
            yield Agent(agent, self._loop)

    def publish(
        self, event: SwarmEvent, *, wait: bool | None = None, timeout: float | None = None
    ) -> Receipt:
        """Publish a finished event as it is."""
        return self._loop.call(self._swarm.publish(event, wait=wait, timeout=timeout))

    def content(self, digest: str) -> bytes:
        """Return content by its digest.

        Raises:
            ContentMissingError: nothing is stored under `digest`.
        """
        return self._loop.call(self._swarm.content.get(digest))

    def subscribe(
        self, *, start: int | datetime | None = None, subject: str = ALL_EVENTS
    ) -> Generator[StoredEvent, None, None]:
        """Yield events as they come; never ends by itself."""
        return self._iterate(self._swarm.subscribe(start=start, subject=subject))

    def replay(
        self, *, start: int | datetime = 1, end: int | None = None, subject: str = ALL_EVENTS
    ) -> Generator[StoredEvent, None, None]:
        """Yield stored events; ends."""
        return self._iterate(self._swarm.replay(start=start, end=end, subject=subject))

    def _iterate(
        self, source: AsyncGenerator[StoredEvent, None]
    ) -> Generator[StoredEvent, None, None]:
        try:
            while True:
                try:
                    yield self._loop.call(anext(source))
                except StopAsyncIteration:
                    return
        finally:
            self._loop.call(source.aclose())


@contextmanager
def connect(
    url: str | None = None,
    *,
    home: Path | None = None,
    run_id: str = "",
    config: SwarmConfig | None = None,
) -> Iterator[Swarm]:
    """Connect to the swarm; as `nervous_system.connect`.

    Raises:
        ConfigError: nothing says where the bus is, or a variable cannot be used.
        BusUnavailableError: no server answers and there is no spool.
    """
    with run_loop_thread() as loop:
        manager = asynchronous.connect(url, home=home, run_id=run_id, config=config)
        with loop.open(manager) as swarm:
            yield Swarm(swarm, loop)


async def _await(awaitable: Awaitable[T]) -> T:
    return await awaitable


async def _hold(
    manager: AbstractAsyncContextManager[T],
    entered: "Future[T]",
    leave: "Future[BaseException | None]",
) -> None:
    """Enter, wait until told to leave, leave: all in one task, as task-bound scopes need it."""
    async with manager as value:
        entered.set_result(value)
        error = await asyncio.wrap_future(leave)
        if isinstance(error, Exception):
            raise error
        if error is not None:  # an interrupt belongs to the caller's thread, not to the loop's
            raise asyncio.CancelledError


def _tell(ended: "Future[None]", entered: "Future[T]") -> None:
    """Let who waits for the entering know that it failed."""
    if entered.done():
        return
    if ended.cancelled():
        entered.cancel()
    else:
        entered.set_exception(ended.exception() or RuntimeError("left before it was entered"))


def _wait(done: "Future[None]", error: BaseException) -> None:
    """Wait for the leaving; the error that was thrown in comes back, and the caller raises it."""
    try:
        done.result()
    except CancelledError:
        return
    except BaseException as raised:
        if raised is not error:
            raise
