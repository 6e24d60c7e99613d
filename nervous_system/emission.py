"""Emission: the way of an event from an agent's call to the bus.

In this order and without awaiting in between: the event is numbered on trial, redacted and
measured; only then it counts. What fails afterwards is the publisher's business (it retries,
spools, replaces by tombstones), or no room, which takes the number back. Nothing here raises into
the agent unless the caller waits for the ack.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from nervous_system.comms.contracts import Outgoing, Publisher, Receipt, Wait
from nervous_system.comms.records import numbered_outgoing
from nervous_system.config import SpoolConfig
from nervous_system.draft import Draft
from nervous_system.emitter import Emitter, make_tombstone
from nervous_system.errors import (
    BusError,
    EventError,
    InvalidEventError,
    PublishRejectedError,
    PublishTimeoutError,
    SpoolFullError,
    SwarmError,
)
from nervous_system.identity import AgentIdentity
from nervous_system.schemas import SwarmEvent
from nervous_system.subjects import subject_for
from nervous_system.telemetry.redaction import redact_event

logger = logging.getLogger(__name__)

DEBT_TIMEOUT = 5.0
MAX_DEBTS = 1000
_NO_HEADERS: Mapping[str, str] = MappingProxyType({})
_WAITS = {None: Wait.ACK_OR_SPOOL, True: Wait.ACK, False: Wait.HANDOVER}


@dataclass(frozen=True, slots=True, kw_only=True)
class LostReceipt(Receipt):
    """Stands for an event that was not kept, where the caller did not ask for an error."""

    reason: str = ""
    """What went wrong."""


class Emission:
    """Numbers, redacts, encodes and publishes the events of one life of an agent."""

    def __init__(
        self,
        identity: AgentIdentity,
        publisher: Publisher,
        *,
        max_payload_bytes: int,
        redaction_key: Callable[[], bytes] | None,
        spool: SpoolConfig | None,
    ) -> None:
        self.emitter = Emitter(identity.emitter_id)
        self.lost_count = 0
        """Events that were not kept."""
        self._identity = identity
        self._publisher = publisher
        self._max_payload_bytes = max_payload_bytes
        self._redaction_key = redaction_key
        self._spool = spool
        self._waits = _WAITS if spool is not None else dict.fromkeys(_WAITS, Wait.ACK)
        self._subjects: dict[str, str] = {}
        self._owed: deque[Outgoing] = deque()  # never more than MAX_DEBTS
        self._headers = _NO_HEADERS

    async def send(
        self, draft: Draft, traceparent: str, wait: bool | None, timeout: float
    ) -> Receipt:
        """Publish the event that `draft` makes with the next number.

        Raises:
            SwarmError: with `wait=True` only; says what went wrong.
        """
        if self._owed:
            await self.settle_debts()
        try:
            outgoing = self._number(draft, traceparent)
        except EventError as error:
            return self.lose(draft.event_id, error, wait)
        del draft  # thousands of callers may wait here
        try:
            receipt = await self._publisher.submit(outgoing, self._waits[wait], timeout)
        except PublishTimeoutError as error:  # it stays on its way, and keeps its number
            return self.lose(outgoing.event_id, error, wait)
        except (BusError, EventError) as error:
            self._take_back(outgoing, error)
            return self.lose(outgoing.event_id, error, wait)
        except asyncio.CancelledError:
            # Nobody knows whether the publisher has it: the same id again is harmless, a gap not.
            self._owe(outgoing)
            raise
        if receipt.spooled or receipt.sequence is not None:
            return receipt
        return self._dropped(outgoing, wait)

    def lose(self, event_id: str, error: SwarmError, wait: bool | None) -> LostReceipt:
        """Raise `error` where the caller waits; else count and report it."""
        if wait:
            raise error
        self.lost_count += 1
        logger.warning(
            "event not kept",
            extra={
                "action": "event_lost",
                "agent_id": self._identity.agent_id,
                "event_id": event_id,
                "reason": str(error),
            },
        )
        return LostReceipt(event_id=event_id, reason=str(error))

    async def settle_debts(self) -> None:
        """Publish what numbered events still need so as to leave no gap, if there is room now."""
        while self._owed:
            debt = self._owed.popleft()
            is_settled = False
            try:
                receipt = await self._publisher.submit(debt, self._waits[False], DEBT_TIMEOUT)
                is_settled = receipt.spooled or receipt.sequence is not None
            except BusError as error:
                logger.debug("no room yet", extra={"action": "debt_kept", "reason": str(error)})
            finally:
                if not is_settled:
                    self._owed.appendleft(debt)  # tried again with the next event
            if not is_settled:
                return

    def _owe(self, outgoing: Outgoing) -> None:
        if len(self._owed) < MAX_DEBTS:
            self._owed.append(outgoing)
            return
        logger.error(
            "number without an event",
            extra={"action": "gap_left", "emitter_seq": outgoing.emitter_seq},
        )

    def _dropped(self, outgoing: Outgoing, wait: bool | None) -> LostReceipt:
        """Account for an event that the publisher dropped by the policy of its full spool."""
        error = SpoolFullError(
            path=str(self._spool.directory) if self._spool else "",
            limit_bytes=self._spool.max_bytes if self._spool else 0,
        )
        self._take_back(outgoing, error)
        return self.lose(outgoing.event_id, error, wait)

    def _number(self, draft: Draft, traceparent: str) -> Outgoing:
        emitter = self.emitter
        raw = b"%b%b%b" % (draft.head, emitter.link(), draft.tail)
        kind = draft.kind
        if draft.is_suspect and self._redaction_key is not None:
            raw = _redacted(raw, self._redaction_key)
        if len(raw) > self._max_payload_bytes:
            raise InvalidEventError(
                field="payload",
                reason=f"{len(raw)} bytes encoded, at most {self._max_payload_bytes} fit the bus",
            )
        subject = self._subjects.get(kind) or self._subject(kind)
        emitter.taken(raw)
        return numbered_outgoing(
            subject,
            raw,
            draft.event_id,
            emitter.emitter_id,
            emitter.count,
            self._headers_for(traceparent) if traceparent else _NO_HEADERS,
        )

    def _subject(self, kind: str) -> str:
        subject = subject_for(self._identity.role, kind, self._identity.agent_id)
        self._subjects[kind] = subject
        return subject

    def _headers_for(self, traceparent: str) -> Mapping[str, str]:
        if self._headers.get("traceparent") != traceparent:
            self._headers = MappingProxyType({"traceparent": traceparent})
        return self._headers

    def _take_back(self, outgoing: Outgoing, error: SwarmError) -> None:
        """Give the number of an event back that found no room, or owe its tombstone."""
        if isinstance(error, PublishRejectedError):
            return  # the publisher has put a tombstone in its place
        if not self.emitter.withdraw(outgoing.emitter_seq):
            stone = make_tombstone(outgoing, str(error))
            if stone is not None:
                self._owe(stone)


def _redacted(raw: bytes, key: Callable[[], bytes]) -> bytes:
    """Return an event's bytes without secrets; they stay the same if there are none."""
    event = SwarmEvent.FromString(raw)
    if not redact_event(event, key):
        return raw
    cleaned: bytes = event.SerializeToString()
    return cleaned
