"""Stores events of sessions: each batch with its cursor, or not at all."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import nats.errors
import nats.js.errors

from infrastructure.intake.sessions.cursor import (
    MARK,
    Cursor,
    coordination_subject,
    cursor_of,
    cursor_subject,
    document_of,
)
from infrastructure.intake.sessions.identity import Identity
from infrastructure.intake.sessions.mapping import Planned
from infrastructure.intake.stored_ids import stored_ids
from nervous_system import events
from nervous_system.comms.conditional import (
    Conditional,
    ConditionalPublisher,
    open_conditional_publisher,
)
from nervous_system.comms.connection import redact_url, translated
from nervous_system.comms.contracts import ContentStore, Outgoing
from nervous_system.comms.open import Bus
from nervous_system.comms.streams import COORDINATION_STREAM, EVENTS_STREAM
from nervous_system.errors import (
    EventDecodeError,
    InvalidEventError,
    WrongSequenceError,
)
from nervous_system.payloads import build_message
from nervous_system.schemas import AgentRole, SwarmEvent
from nervous_system.subjects import subject_for

ROLE = AgentRole.ROLE_CODER
STORE_SECONDS = 60.0
"""How long a batch is tried to be stored, across absences of the bus."""
CONTENTS_AT_ONCE = 8
MAX_KNOWN_CONTENTS = 100_000
_SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Batch:
    """What is stored together."""

    events: Sequence[Outgoing]
    cursor: Cursor
    """As it is afterwards, all but its sequence."""
    document: dict[str, Any]
    """What else its event says."""
    at_ns: int
    """Time of the newest event of the session; 0: not known."""


class SessionStore:
    """The stream of events as sessions are kept in it. Made by `open_session_store`."""

    def __init__(
        self,
        bus: Bus,
        content: ContentStore,
        publisher: ConditionalPublisher,
        coordination: ConditionalPublisher,
        servers: str,
    ) -> None:
        self._js = bus.js
        self._content = content
        self._publisher = publisher
        self._coordination = coordination
        self._servers = servers
        self._kept: set[bytes] = set()
        self._room = asyncio.Semaphore(CONTENTS_AT_ONCE)

    async def cursor(self, identity: Identity) -> Cursor:
        """Return how far a source is stored.

        Raises:
            BusUnavailableError: the bus is away.
        """
        found = await self._last(EVENTS_STREAM, cursor_subject(identity))
        if found is not None:
            return found
        # The stream forgets events after a while; what is kept elsewhere says where they ended.
        kept = await self._last(COORDINATION_STREAM, coordination_subject(identity))
        return Cursor() if kept is None else replace(kept, sequence=0)

    async def append(self, identity: Identity, batch: Batch) -> int:
        """Store a batch behind the cursor that it was made for; return the new cursor's sequence.

        Raises:
            WrongSequenceError: somebody else has stored a batch of this source meanwhile.
            PublishTimeoutError: no ack in time; the outcome is unknown.
            PublishRejectedError: the server refuses an event for good.
        """
        last = Conditional(
            outgoing=self._cursor_event(identity, batch, cursor_subject(identity)),
            expected_sequence=batch.cursor.sequence,
        )
        if not batch.events:
            return await self._publisher.send(last, timeout=STORE_SECONDS)
        return await self._publisher.send_together(batch.events, last, timeout=STORE_SECONDS)

    async def keep_cursor(self, identity: Identity, batch: Batch) -> None:
        """Keep the cursor beyond the time that the stream of events keeps it.

        Raises:
            BusUnavailableError: the bus is away.
            PublishTimeoutError: no ack in time.
        """
        subject = coordination_subject(identity)
        known = await self._last(COORDINATION_STREAM, subject)
        if known is not None and _is_same(known, batch.cursor):
            return
        message = Conditional(
            outgoing=self._cursor_event(identity, batch, subject),
            expected_sequence=0 if known is None else known.sequence,
        )
        try:
            await self._coordination.send(message)
        except WrongSequenceError:
            return  # somebody else mirrors the source, too, and has just kept it

    async def keep_contents(self, contents: Mapping[bytes, bytes]) -> None:
        """Put contents, given by their digests, where changes find them.

        Raises:
            BusUnavailableError: the bus is away.
        """
        async with asyncio.TaskGroup() as group:
            for digest, content in contents.items():
                if digest not in self._kept:
                    group.create_task(self._keep(digest, content))

    async def known_ids(self, identity: Identity) -> set[str]:
        """Return the ids of all events of a source that the stream holds.

        Raises:
            BusUnavailableError: the bus is away.
        """
        return await stored_ids(self._js, self._servers, identity.agent_id)

    def outgoing(self, identity: Identity, planned: Planned) -> Outgoing:
        """Return a planned event as it is published."""
        try:
            payload = planned.build()
        except InvalidEventError as error:
            payload = events.session_mark("unreadable", text=str(error))
        event = build_message(
            SwarmEvent,
            event_id=planned.event_id,
            agent_role=ROLE,
            agent_id=identity.agent_id,
            run_id=identity.run_id,
            workspace_id=identity.run_id,
            caused_by=planned.caused_by,
            attributes=planned.attributes,
            redactions=planned.redactions,
        )
        event.timestamp.seconds, event.timestamp.nanos = divmod(planned.at_ns, _SECOND)
        kind = events.set_payload(event, payload)
        return Outgoing(
            subject=subject_for(ROLE, kind, identity.agent_id),
            payload=events.encode(event),
            event_id=planned.event_id,
        )

    def _cursor_event(self, identity: Identity, batch: Batch, subject: str) -> Outgoing:
        event = events.build(
            events.session_mark(MARK, document=document_of(batch.cursor, batch.document)),
            role=ROLE,
            agent_id=identity.agent_id,
            run_id=identity.run_id,
            workspace_id=identity.run_id,
            attributes=identity.attributes,
        )
        if batch.at_ns:
            event.timestamp.seconds, event.timestamp.nanos = divmod(batch.at_ns, _SECOND)
        return Outgoing(subject=subject, payload=events.encode(event), event_id=event.event_id)

    async def _last(self, stream: str, subject: str) -> Cursor | None:
        with translated("reading a cursor", self._servers):
            try:
                found = await self._js.get_last_msg(stream, subject)
            except nats.js.errors.NotFoundError:
                return None
        try:
            event = events.decode(found.data or b"")
            return cursor_of(event.session_mark.mark_document, int(found.seq or 0))
        except (EventDecodeError, ValueError, KeyError, TypeError):
            # Of nobody who keeps to the rules; what comes next is written behind it all the same.
            return Cursor(sequence=int(found.seq or 0))

    async def _keep(self, digest: bytes, content: bytes) -> None:
        async with self._room:
            await self._content.put(content)
        if len(self._kept) < MAX_KNOWN_CONTENTS:
            self._kept.add(digest)


def _is_same(one: Cursor, other: Cursor) -> bool:
    return replace(one, sequence=0) == replace(other, sequence=0)


@asynccontextmanager
async def open_session_store(
    bus: Bus, content: ContentStore, url: str
) -> AsyncIterator[SessionStore]:
    """Give a connection a way to store sessions."""
    servers = redact_url(url)
    async with (
        open_conditional_publisher(
            bus.nc, bus.js, stream=EVENTS_STREAM, servers=servers
        ) as publisher,
        open_conditional_publisher(
            bus.nc, bus.js, stream=COORDINATION_STREAM, servers=servers
        ) as coordination,
    ):
        yield SessionStore(bus, content, publisher, coordination, servers)
