"""Contents of a run on this machine, each once under its digest.

What a file held before a command changed it can only be told if it was kept before. The directory
lies outside every workspace and goes with the run; what must stay is on the bus and in history.
"""

import os
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from secrets import token_hex

from cortex.errors import ToolFailedError

CHUNK_BYTES = 1024 * 1024
_TEMPORARY = ".part"


class Contents:
    """Files named by the hex SHA-256 of their bytes; blocking, safe in several threads."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def keep(self, content: bytes) -> str:
        """Keep `content` and return its digest."""
        digest = sha256(content).hexdigest()
        if not self.path(digest).exists():
            temporary = self._temporary()
            temporary.write_bytes(content)
            self._place(temporary, digest)
        return digest

    def keep_open_file(self, descriptor: int, *, max_bytes: int) -> tuple[str, int]:
        """Keep what an open file holds from its beginning; return its digest and size.

        Raises:
            ToolFailedError: it holds more than `max_bytes`.
        """
        first = os.pread(descriptor, CHUNK_BYTES + 1, 0)
        if len(first) <= CHUNK_BYTES:
            return self.keep(first), len(first)
        return self._keep_large(descriptor, max_bytes)

    def get(self, digest: str) -> bytes:
        """Return the content.

        Raises:
            ToolFailedError: it was not kept, or is damaged.
        """
        try:
            content = self.path(digest).read_bytes()
        except FileNotFoundError as error:
            raise ToolFailedError(
                tool="contents", reason=f"no content {digest} in {self._directory}"
            ) from error
        if sha256(content).hexdigest() != digest:
            raise ToolFailedError(tool="contents", reason=f"{self.path(digest)} is damaged")
        return content

    def path(self, digest: str) -> Path:
        """Return where the content of this digest lies, or would."""
        return self._directory / digest[:2] / digest

    def _keep_large(self, descriptor: int, max_bytes: int) -> tuple[str, int]:
        temporary = self._temporary()
        try:
            digest, size = _copy(descriptor, temporary, max_bytes)
            self._place(temporary, digest)
        except BaseException:
            with suppress(FileNotFoundError):
                temporary.unlink()
            raise
        return digest, size

    def _temporary(self) -> Path:
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self._directory / f"{os.getpid()}-{token_hex(8)}{_TEMPORARY}"

    def _place(self, temporary: Path, digest: str) -> None:
        target = self.path(digest)
        target.parent.mkdir(exist_ok=True, mode=0o700)
        temporary.replace(target)


def _copy(descriptor: int, target: Path, max_bytes: int) -> tuple[str, int]:
    """Copy in chunks; the digest is of what was copied, whatever happens to the file meanwhile."""
    hasher = sha256()
    size = 0
    with target.open("wb") as file:
        while chunk := os.pread(descriptor, CHUNK_BYTES, size):
            size += len(chunk)
            if size > max_bytes:
                raise ToolFailedError(
                    tool="contents", reason=f"a file of more than {max_bytes} bytes"
                )
            hasher.update(chunk)
            file.write(chunk)
    return hasher.hexdigest(), size
