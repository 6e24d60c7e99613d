"""Contents of artifacts: on the bus, or in history, where they move to."""

import asyncio
from collections.abc import Sequence

from cortex.cli.session import Session
from cortex.coordination.log import SharedLog
from nervous_system.comms.objects import BusContentStore
from nervous_system.errors import ContentMissingError, SwarmError


class SharedContents:
    """Implements `ContentStore`: writes to the bus, reads from there and from history."""

    def __init__(self, session: Session, log: SharedLog) -> None:
        self._session = session
        self._bus = BusContentStore(log.jetstream, servers=log.servers)

    async def put(self, content: bytes) -> str:
        """Store `content` on the bus and return its digest.

        Raises:
            BusUnavailableError: the bus is away.
        """
        return await self._bus.put(content)

    async def put_all(self, contents: Sequence[bytes]) -> list[str]:
        """Store several contents on the bus and return their digests.

        Raises:
            BusUnavailableError: the bus is away.
        """
        return await self._bus.put_all(contents)

    async def get(self, digest: str) -> bytes:
        """Return the content.

        Raises:
            ContentMissingError: it is neither on the bus nor in a history that can be reached.
        """
        try:
            return await self._bus.get(digest)
        except ContentMissingError:
            return await asyncio.to_thread(self._from_history, digest)

    def _from_history(self, digest: str) -> bytes:
        from cortex.cli.places import open_reader
        from infrastructure.history.blobs import Blobs

        try:
            with open_reader(self._session) as history:
                return Blobs(history).get(digest)
        except ContentMissingError:
            raise
        except SwarmError as error:  # no stack here, or one without a history for this user
            raise ContentMissingError(digest=digest) from error
