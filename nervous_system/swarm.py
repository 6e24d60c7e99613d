"""A connection to the swarm: makes agents and reads events.

`connect` joins the parts: settings, bus, tracing, content. It returns also while no server answers,
as long as there is a spool to keep events in.
"""

import asyncio
import logging
import secrets
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.trace import Tracer

from nervous_system.agent import CRITICAL_FAILURE, STARTING, STOPPED, Agent
from nervous_system.comms.contracts import ContentStore, Outgoing, Receipt, StoredEvent, Wait
from nervous_system.config import HEADROOM_BYTES, SwarmConfig
from nervous_system.content import PENDING_CONTENT, ContentKeeper
from nervous_system.emission import Emission
from nervous_system.emitter import make_tombstone
from nervous_system.errors import ConfigError, InvalidEventError
from nervous_system.events import check, encode, kind_of, new_event_id
from nervous_system.home import REDACTION_KEY_BYTES, Home
from nervous_system.identity import AgentIdentity
from nervous_system.schemas import AgentRole, SwarmEvent
from nervous_system.subjects import ALL_EVENTS, parse_role, subject_for
from nervous_system.telemetry.linking import Link, read_carrier
from nervous_system.telemetry.redaction import redact_event
from nervous_system.telemetry.setup import own_provider
from nervous_system.telemetry.spans import TRACER_NAME

if TYPE_CHECKING:
    from nervous_system.comms.open import Bus

logger = logging.getLogger(__name__)


class Swarm:
    """An open connection; made by `connect`."""

    def __init__(
        self,
        config: SwarmConfig,
        bus: "Bus",
        content: ContentKeeper,
        tracer: Tracer | None,
        run_id: str,
        origin: Link | None,
    ) -> None:
        self.config = config
        self.bus = bus
        self.run_id = run_id
        """Run id of agents that are given none."""
        self._content = content
        self._tracer = tracer
        self._origin = origin
        self._redaction_key: bytes | None = None

    @property
    def content(self) -> ContentStore:
        """Contents by digest."""
        return self.bus.content

    @asynccontextmanager
    async def agent(
        self,
        agent_id: str = "",
        *,
        role: AgentRole | str = AgentRole.ROLE_UNSPECIFIED,
        run_id: str = "",
        name: str = "",
        workspace_id: str = "",
    ) -> AsyncIterator[Agent]:
        """Give an agent a voice: STARTING on entering, STOPPED with the final count on leaving.

        An error that leaves the block is first told as CRITICAL_FAILURE.

        Args:
            agent_id: unique name; by default SWARM_AGENT.
            role: `architect`, `coder`, `reviewer`, `operator`, or the enum's value.
            run_id: the run it takes part in; by default SWARM_RUN, else this connection's.
            name: readable name; by default the id.
            workspace_id: what its state changes belong to; by default the run.

        Raises:
            InvalidEventError: unknown role, or an id that no subject can carry.
            ConfigError: no agent id is given and SWARM_AGENT is unset.
        """
        agent = self._build_agent(agent_id, role, run_id, name, workspace_id)
        await agent.signal(STARTING)
        try:
            yield agent
        except Exception as error:
            detail = f"{type(error).__name__}: {error}"
            await self._say_goodbye(agent, failure=detail)
            raise
        except BaseException:  # cancelled, interrupted: no failure, but the end all the same
            await self._say_goodbye(agent)
            raise
        else:
            await self._say_goodbye(agent)

    async def publish(
        self, event: SwarmEvent, *, wait: bool | None = None, timeout: float | None = None
    ) -> Receipt:
        """Publish a finished event as it is, such as one of another program.

        Raises:
            InvalidEventError: it cannot be published.
            BusError: it was not kept; with `wait=True` also: no ack within `timeout` seconds.
        """
        check(event)
        payload = encode(event)
        if len(payload) > self.config.bus.max_payload_bytes:
            raise InvalidEventError(field="payload", reason=f"{len(payload)} bytes are too many")
        outgoing = Outgoing(
            subject=subject_for(event.agent_role, kind_of(event), event.agent_id),
            payload=payload,
            event_id=event.event_id,
            emitter_id=event.emitter_id,
            emitter_seq=event.emitter_seq,
        )
        how = {None: Wait.ACK_OR_SPOOL, True: Wait.ACK, False: Wait.HANDOVER}[wait]
        limit = self._timeout if timeout is None else timeout
        return await self.bus.publisher.submit(outgoing, how, limit)

    def redact(self, event: SwarmEvent) -> None:
        """Take secrets out of an event's text, as agents do before they publish."""
        if self.config.telemetry.is_redacting:
            redact_event(event, self._key)

    async def subscribe(
        self, *, start: int | datetime | None = None, subject: str = ALL_EVENTS
    ) -> AsyncGenerator[StoredEvent, None]:
        """Yield events as they come, decoded, each with its `sequence` in the stream; never ends.

        Args:
            start: first sequence, or time from which on; None: only what is stored from now on.
            subject: pattern of subjects, such as `swarm.events.coder.>`.

        Raises:
            BusError: the bus cannot be read from.
        """
        subjects = _filters(subject)
        if start is None:
            start = await self.bus.reader.end_of_stream() + 1
        async for stored in self.bus.reader.replay(start=start, follow=True, subjects=subjects):
            yield stored

    async def replay(
        self, *, start: int | datetime = 1, end: int | None = None, subject: str = ALL_EVENTS
    ) -> AsyncGenerator[StoredEvent, None]:
        """Yield stored events, decoded, each with its `sequence` in the stream; ends.

        Args:
            start: first sequence, or time from which on.
            end: last sequence; None: the end of the stream at this moment.
            subject: pattern of subjects.

        Raises:
            BusError: the bus cannot be read from.
        """
        reader = self.bus.reader
        async for stored in reader.replay(start=start, end=end, subjects=_filters(subject)):
            yield stored

    @property
    def _timeout(self) -> float:
        return self.config.bus.publish_timeout.total_seconds()

    def _build_agent(
        self, agent_id: str, role: AgentRole | str, run_id: str, name: str, workspace_id: str
    ) -> Agent:
        named = agent_id or self.config.agent_id
        if not named:
            raise ConfigError(
                variable="SWARM_AGENT",
                given="",
                expected="an agent id",
                fix="pass one to agent(), or set it",
            )
        run = run_id or self.run_id
        identity = AgentIdentity(
            agent_id=named,
            role=parse_role(role) if isinstance(role, str) else role,
            name=name or named,
            run_id=run,
            workspace_id=workspace_id or run,
        )
        subject_for(identity.role, "decision", named)  # raises here rather than at each event
        return Agent(
            identity,
            self._emission(identity),
            self._content,
            tracer=self._tracer,
            timeout=self._timeout,
            origin=self._origin,
        )

    def _emission(self, identity: AgentIdentity) -> Emission:
        is_redacting = self.config.telemetry.is_redacting
        return Emission(
            identity,
            self.bus.publisher,
            max_payload_bytes=self._max_payload_bytes(),
            redaction_key=self._key if is_redacting else None,
            spool=self.config.bus.spool,
        )

    def _max_payload_bytes(self) -> int:
        configured = self.config.bus.max_payload_bytes
        found = self.bus.max_payload
        return min(configured, found - HEADROOM_BYTES) if found > HEADROOM_BYTES else configured

    def _key(self) -> bytes:
        """Return the home's key; where the home cannot be written, one of this process's own."""
        if self._redaction_key is None:
            self._redaction_key = _redaction_key(self.config.home)
        return self._redaction_key

    async def _say_goodbye(self, agent: Agent, failure: str = "") -> None:
        """Send what belongs at the end of a life, also while the task is being cancelled."""
        goodbye = asyncio.ensure_future(_goodbye(agent, failure))
        try:
            await asyncio.shield(goodbye)
        except asyncio.CancelledError:
            await goodbye  # has its own deadline: the publishing timeout
            raise


async def _goodbye(agent: Agent, failure: str) -> None:
    if failure:
        await agent.signal(CRITICAL_FAILURE, detail=failure)
    await agent.settle()
    await agent.signal(STOPPED, final_count=agent.emitted_count + 1)


@asynccontextmanager
async def connect(
    url: str | None = None,
    *,
    home: Path | None = None,
    run_id: str = "",
    config: SwarmConfig | None = None,
) -> AsyncIterator[Swarm]:
    """Connect to the swarm.

    Args:
        url: of the bus; by default SWARM_NATS_URL, else the running stack of the nearest `.swarm/`.
        home: the home itself; by default SWARM_HOME, else the nearest `.swarm/`.
        run_id: for agents that are given none; by default SWARM_RUN, else a new one.
        config: all settings at once, instead of the environment.

    Raises:
        ConfigError: nothing says where the bus is, or a variable cannot be used.
        BusUnavailableError: no server answers and there is no spool.
    """
    from nervous_system.comms.open import open_bus

    settings = config or SwarmConfig.from_env(home=home, url=url)
    async with AsyncExitStack() as stack:
        tracer = await _open_tracer(stack, settings)
        bus = await stack.enter_async_context(open_bus(settings.bus, make_tombstone=make_tombstone))
        content = await _open_content(stack, settings, bus.content)
        yield Swarm(
            settings,
            bus,
            content,
            tracer,
            run_id or settings.run_id or new_event_id(),
            read_carrier(settings.carrier) if settings.carrier else None,
        )


async def _open_tracer(stack: AsyncExitStack, config: SwarmConfig) -> Tracer | None:
    """Return the program's tracer, or one of our own; None where spans have nowhere to go."""
    provider = own_provider(config.telemetry)
    if provider is not None:
        # Shutting down waits for the exporter's thread, which may wait for the network.
        stack.push_async_callback(asyncio.to_thread, provider.shutdown)
        return provider.get_tracer(TRACER_NAME)
    found = trace.get_tracer_provider()
    if isinstance(found, trace.ProxyTracerProvider):
        return None
    return found.get_tracer(TRACER_NAME)


async def _open_content(
    stack: AsyncExitStack, config: SwarmConfig, store: ContentStore
) -> ContentKeeper:
    spool = config.bus.spool
    directory = config.home.root / PENDING_CONTENT if spool is not None else None
    keeper = ContentKeeper(store, directory, spool.max_bytes if spool is not None else 0)
    sender = asyncio.create_task(keeper.run(), name="content")

    async def close() -> None:
        if not sys.exc_info()[0]:
            await keeper.drain(config.bus.close_timeout.total_seconds())
        sender.cancel()
        (ended,) = await asyncio.gather(sender, return_exceptions=True)
        if isinstance(ended, Exception):
            logger.error("content sender failed", exc_info=ended, extra={"action": "content_end"})

    stack.push_async_callback(close)
    return keeper


def _redaction_key(home: Home) -> bytes:
    try:
        key = home.redaction_key()
    except OSError as error:
        logger.warning(
            "no redaction key", extra={"action": "redaction_key_missing", "reason": str(error)}
        )
        key = b""
    return key if len(key) == REDACTION_KEY_BYTES else secrets.token_bytes(REDACTION_KEY_BYTES)


def _filters(subject: str) -> tuple[str, ...]:
    return () if subject == ALL_EVENTS else (subject,)
