"""Asks a stream which of some events it already holds.

Needed where the duplicate window cannot answer any more: after a long absence with events of
unknown outcome, and for what a dead process left in its spool. Only headers travel. A consumer
without acks reads, from the sequence after which the events were first sent, the subjects that
they were sent on, and matches message ids.
"""

from collections.abc import Sequence

import nats.errors
from nats.js import JetStreamContext, api

from nervous_system.comms.connection import describe, translated
from nervous_system.comms.entry import Entry
from nervous_system.comms.frames import MESSAGE_ID_HEADER
from nervous_system.errors import BusUnavailableError

FETCH_COUNT = 500
FETCH_SECONDS = 5.0


class StreamLookup:
    """Implements `StoredLookup` on one stream."""

    def __init__(self, jetstream: JetStreamContext, stream: str, servers: str) -> None:
        self._jetstream = jetstream
        self.stream = stream
        self._servers = servers

    async def duplicate_window(self) -> float:
        """Return for how many seconds the stream recognises a repeated id.

        0 where that cannot be asked now: what has become of an event is then always looked up.
        """
        try:
            info = await self._jetstream.stream_info(self.stream)
        except (nats.errors.Error, OSError):
            return 0.0
        return float(info.config.duplicate_window or 0)

    async def find_stored(self, entries: Sequence[Entry]) -> dict[str, int]:
        """Return stream sequences by event id, of those that are stored.

        Raises:
            BusUnavailableError: the stream cannot be asked now.
        """
        try:
            with translated("lookup", self._servers):
                return await self._scan(
                    {entry.outgoing.event_id for entry in entries},
                    sorted({entry.outgoing.subject for entry in entries}),
                    min(entry.after_sequence for entry in entries) + 1,
                )
        except nats.errors.Error as error:
            # Such as a stream that does not exist yet: as good as away.
            raise BusUnavailableError(servers=self._servers, reason=describe(error)) from error

    async def _scan(self, wanted: set[str], subjects: list[str], start: int) -> dict[str, int]:
        info = await self._jetstream.stream_info(self.stream)
        last = info.state.last_seq
        if start > last + 1:
            start = 1  # the stream was made anew since
        found: dict[str, int] = {}
        if not info.state.messages or start > last:
            return found
        config = api.ConsumerConfig(
            deliver_policy=api.DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=max(1, start),
            ack_policy=api.AckPolicy.NONE,
            filter_subjects=subjects,
            headers_only=True,
            inactive_threshold=30.0,
            mem_storage=True,
        )
        consumer = await self._jetstream.add_consumer(self.stream, config)
        reader = await self._jetstream.pull_subscribe_bind(consumer.name, self.stream)
        try:
            remaining = consumer.num_pending or 0
            while remaining > 0 and wanted:
                for message in await reader.fetch(min(FETCH_COUNT, remaining), FETCH_SECONDS):
                    remaining -= 1
                    event_id = (message.headers or {}).get(MESSAGE_ID_HEADER, "")
                    if event_id in wanted:
                        found.setdefault(event_id, message.metadata.sequence.stream)
        finally:
            await reader.unsubscribe()
        return found
