"""A place in memory from which the engine reads the data of an insert.

chDB takes the bytes of an insert inside the statement's text, from a file, or piece by piece. Piece
by piece it reports success when a materialized view has refused the block, which would break the
guard; inside the text it is slower. So the data goes through one file in memory, used again for
each insert: pages that are there already cost nothing to fill.
"""

import os
import tempfile
from typing import IO


class Scratch:
    """One file; not to be used by two inserts at once."""

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        self._descriptor = -1

    def put(self, data: memoryview) -> str:
        """Make `data` the content and return the path to read it from."""
        if self._descriptor < 0:
            self._open()
        os.ftruncate(self._descriptor, len(data))
        written = 0
        while written < len(data):
            written += os.pwrite(self._descriptor, data[written:], written)
        if self._file is not None:
            return self._file.name
        return f"/proc/self/fd/{self._descriptor}"

    def close(self) -> None:
        """Give the memory back."""
        if self._file is not None:
            self._file.close()
        elif self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1

    def _open(self) -> None:
        if hasattr(os, "memfd_create"):
            self._descriptor = os.memfd_create("swarm-insert", os.MFD_CLOEXEC)
            return
        self._file = tempfile.NamedTemporaryFile(prefix="swarm-insert-")  # noqa: SIM115 - kept open
        self._descriptor = self._file.fileno()
