"""The bus as verification reads it: heads and messages through the ingestor's fast reader."""

from collections.abc import AsyncIterator

from nats.js.errors import NotFoundError

from infrastructure.history.verify.heads import Witness, parse_notes
from infrastructure.history.verify.messages import Messages
from infrastructure.history.verify.source import StreamState
from infrastructure.ingestor.feed import read_range
from nervous_system.comms.connection import BusClient, redact_url, translated
from nervous_system.comms.streams import CHECKPOINTS_STREAM, stream_identity

CHECKPOINT_SUBJECT = "swarm.checkpoints."


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
        subject = f"{CHECKPOINT_SUBJECT}{stream}".encode()
        notes: list[bytes] = []
        async for noted in self.read(CHECKPOINTS_STREAM, 1, state.last):
            pairs = zip(noted.subjects, noted.payloads, strict=True)
            notes += [payload for where, payload in pairs if where == subject]
        return parse_notes(notes, CHECKPOINTS_STREAM)

    async def read(self, stream: str, first: int, last: int) -> AsyncIterator[Messages]:
        """Yield the messages from `first` to `last`, both included, in order."""
        async for batch in read_range(self._url, stream, first, last):
            yield Messages(batch.sequences, batch.subjects, batch.payloads)
