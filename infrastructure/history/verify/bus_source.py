"""The bus as verification reads it: heads and messages through the ingestor's fast reader."""

from collections.abc import AsyncIterator

from nats.js.errors import NotFoundError

from infrastructure.history.verify.heads import Witness, format_note, parse_notes
from infrastructure.history.verify.messages import Messages
from infrastructure.history.verify.source import StreamState
from infrastructure.ingestor.checkpoints import checkpoint_subject
from infrastructure.ingestor.feed import read_range
from infrastructure.ingestor.ledger import Head
from nervous_system.comms.connection import BusClient, redact_url, translated
from nervous_system.comms.streams import CHECKPOINTS_STREAM, stream_identity

READ_AHEAD_BYTES = 8 * 1024 * 1024
"""Messages that may be on their way while a stretch is prepared."""
SIGNED = ".signed"
"""Ends the subject of signed heads: apart from the ingestor's, which goes on after its last."""


class BusSource:
    """Implements `MessageSource` over an open connection."""

    def __init__(self, url: str, client: BusClient) -> None:
        self._url = url
        self._js = client.jetstream()

    async def state(self, stream: str) -> StreamState:
        """Return what the bus holds of a stream now.

        Raises:
            BusUnavailableError: the bus cannot be asked.
        """
        with translated("stream info", redact_url(self._url)):
            try:
                info = await self._js.stream_info(stream)
            except NotFoundError:
                return StreamState(name=stream, identity="", first=1, last=0)
        last = int(info.state.last_seq)
        first = int(info.state.first_seq) if info.state.messages else last + 1
        return StreamState(name=stream, identity=stream_identity(info), first=first, last=last)

    async def witnesses(self, stream: str) -> list[Witness] | None:
        """Return the heads noted for a stream, oldest first; None where nothing keeps heads."""
        state = await self.state(CHECKPOINTS_STREAM)
        if not state.identity:
            return None
        subject = checkpoint_subject(stream).encode()
        subjects = {subject, subject + SIGNED.encode()}
        notes: list[bytes] = []
        async for noted in self.read(CHECKPOINTS_STREAM, 1, state.last):
            pairs = zip(noted.subjects, noted.payloads, strict=True)
            notes += [payload for where, payload in pairs if where in subjects]
        return parse_notes(notes, CHECKPOINTS_STREAM)

    async def noted_streams(self) -> list[str]:
        """Return the streams of which heads are noted, signed or not."""
        with translated("stream info", redact_url(self._url)):
            try:
                info = await self._js.stream_info(CHECKPOINTS_STREAM, checkpoint_subject(">"))
            except NotFoundError:
                return []
        start = len(checkpoint_subject(""))
        subjects = info.state.subjects or {}
        return sorted({subject[start:].removesuffix(SIGNED) for subject in subjects})

    async def last_noted(self, stream: str) -> int:
        """Return the sequence of the head noted last; 0 for none."""
        with translated("stream read", redact_url(self._url)):
            try:
                found = await self._js.get_last_msg(CHECKPOINTS_STREAM, checkpoint_subject(stream))
            except NotFoundError:
                return 0
        noted = parse_notes([found.data or b""], CHECKPOINTS_STREAM)
        return noted[0].head.sequence if noted else 0

    async def note(self, head: Head, signature: str) -> None:
        """Note a signed head in SWARM_CHECKPOINTS.

        Raises:
            BusUnavailableError: the bus does not take it.
        """
        subject = checkpoint_subject(head.stream) + SIGNED
        with translated("publish", redact_url(self._url)):
            await self._js.publish(subject, format_note(head, signature))

    async def read(self, stream: str, first: int, last: int) -> AsyncIterator[Messages]:
        """Yield the messages from `first` to `last`, both included, in order."""
        async for batch in read_range(self._url, stream, first, last, budget=READ_AHEAD_BYTES):
            yield Messages(batch.sequences, batch.subjects, batch.payloads)
