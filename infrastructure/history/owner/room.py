"""Whether the disk has room for an insert; looked at before the engine starts to write.

When a disk fills while a part is being written, the engine has been seen to keep the part with
empty index files, after which no query over it answers. What else writes to the same disk (bus,
spool) may take the last byte at any time, so inserts stop well before it.
"""

import os
from pathlib import Path

RESERVE_BYTES = 32 * 1024 * 1024
"""Room that inserts leave: what the other writers of a home take while one part is written."""
PART_FACTOR = 3
"""Most that a part with its indexes and projection takes, relative to the bytes inserted."""


def needed_bytes(body_bytes: int) -> int:
    """Return how much room an insert of `body_bytes` is only tried with."""
    return RESERVE_BYTES + PART_FACTOR * body_bytes


def free_bytes(folder: Path) -> int:
    """Return how much may still be written below `folder`."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize
