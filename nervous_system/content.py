"""Content on its way to the bus: kept there by its digest, or on disk until the bus is back.

Content is its own name, so that sending it twice is harmless: whichever process of a home runs next
sends what a dead one left behind.
"""

import asyncio
import logging
import os
import secrets
from collections import OrderedDict
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from nats.errors import Error as DriverError

from nervous_system.comms.contracts import ContentStore
from nervous_system.errors import BusError, BusUnavailableError, SpoolFullError

logger = logging.getLogger(__name__)

PENDING_CONTENT = "content"
"""Directory below the home where contents wait."""
KNOWN_DIGESTS = 4096
MAX_INLINE_BYTES = 256 * 1024
FIRST_RETRY_SECONDS = 0.5
LAST_RETRY_SECONDS = 10.0
_TEMPORARY = ".part"
_DAMAGED = ".damaged"
"""Ends the name of a file whose content is not what its name says; it is not sent."""


class ContentKeeper:
    """Stores contents once; `run` sends what had to stay on disk for a while."""

    def __init__(self, store: ContentStore, directory: Path | None, max_bytes: int) -> None:
        self._store = store
        self._directory = directory
        self._max_bytes = max_bytes
        self._known: OrderedDict[str, None] = OrderedDict()
        self._due = asyncio.Event()
        self._idle = asyncio.Event()
        self._due.set()  # what a process before left behind

    async def keep(self, *contents: bytes | None, wait: bool | None, timeout: float) -> bool:
        """Keep contents under their digests; None stands for what does not exist.

        Returns:
            Whether all of them are on the bus or on disk here.

        Raises:
            BusError: with `wait=True`, they are not on the bus within `timeout` seconds.
        """
        present = [content for content in contents if content is not None]
        results = [await self._keep_one(content, wait, timeout) for content in present]
        return all(results)

    async def run(self) -> None:
        """Send what lies on disk, whenever there is something; ends by cancellation."""
        while True:
            await self._due.wait()
            self._due.clear()
            self._idle.clear()
            await self._send_pending()
            if not self._due.is_set():
                self._idle.set()

    async def drain(self, timeout: float) -> None:
        """Return when nothing lies on disk any more, or after `timeout` seconds."""
        try:
            async with asyncio.timeout(timeout):
                await self._idle.wait()
        except TimeoutError:
            logger.warning(
                "content stays on disk until the bus is back", extra={"action": "content_waits"}
            )

    async def _keep_one(self, content: bytes, wait: bool | None, timeout: float) -> bool:
        digest = await _digest(content)
        if digest in self._known:
            self._known.move_to_end(digest)
            return True
        if wait is False and self._directory is not None:
            return await self._spool(digest, content)
        try:
            async with asyncio.timeout(timeout):
                await self._store.put(content)
        except (BusError, DriverError, TimeoutError) as error:
            if wait:
                raise _as_bus_error(error) from error
            return await self._spool(digest, content)
        self._note(digest)
        return True

    def _note(self, digest: str) -> None:
        self._known[digest] = None
        if len(self._known) > KNOWN_DIGESTS:
            self._known.popitem(last=False)

    async def _spool(self, digest: str, content: bytes) -> bool:
        if self._directory is None:
            return self._report("content not kept: no spool", digest)
        try:
            await asyncio.to_thread(_write, self._directory, digest, content, self._max_bytes)
        except (OSError, SpoolFullError) as error:
            return self._report(str(error), digest)
        self._idle.clear()
        self._due.set()
        return True

    def _report(self, reason: str, digest: str) -> bool:
        logger.warning(
            "content not kept",
            extra={"action": "content_lost", "digest": digest, "reason": reason},
        )
        return False

    async def _send_pending(self) -> None:
        """Send all that lies on disk, with growing pauses while the bus is away."""
        pause = FIRST_RETRY_SECONDS
        while self._directory is not None:
            paths = await asyncio.to_thread(_pending, self._directory)
            if not paths:
                return
            try:
                for path in paths:
                    await self._send(path)
                pause = FIRST_RETRY_SECONDS
            except (BusError, DriverError, OSError) as error:
                logger.debug(
                    "content not sent yet",
                    extra={"action": "content_retry", "reason": str(error)},
                )
                await asyncio.sleep(pause)
                pause = min(2 * pause, LAST_RETRY_SECONDS)

    async def _send(self, path: Path) -> None:
        try:
            content = await asyncio.to_thread(path.read_bytes)
        except FileNotFoundError:
            return  # another process of this home was faster
        if sha256(content).hexdigest() == path.name:
            self._note(await self._store.put(content))
            await asyncio.to_thread(path.unlink, missing_ok=True)
            return
        logger.error(
            "content on disk is damaged: set aside",
            extra={"action": "content_damaged", "digest": path.name},
        )
        with suppress(FileNotFoundError):  # another process of this home was faster
            await asyncio.to_thread(path.replace, path.with_name(f"{path.name}{_DAMAGED}"))


async def _digest(content: bytes) -> str:
    if len(content) <= MAX_INLINE_BYTES:
        return sha256(content).hexdigest()
    return (await asyncio.to_thread(sha256, content)).hexdigest()


def _write(directory: Path, digest: str, content: bytes, max_bytes: int) -> None:
    """Write content durably under its digest; it is there whole or not at all."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    used = sum(path.stat().st_size for path in _pending(directory))
    if used + len(content) > max_bytes:
        raise SpoolFullError(path=str(directory), limit_bytes=max_bytes)
    # Of its own: the same content may be on its way from another task or process.
    temporary = directory / f"{digest}{_TEMPORARY}{os.getpid()}-{secrets.token_hex(4)}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(directory / digest)


def _pending(directory: Path) -> list[Path]:
    if not directory.is_dir():
        return []
    return [path for path in directory.iterdir() if not path.suffix]


def _as_bus_error(error: Exception) -> BusError:
    if isinstance(error, BusError):
        return error
    reason = f"content not stored: {error or type(error).__name__}"
    return BusUnavailableError(servers="its address", reason=reason)
