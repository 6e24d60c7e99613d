"""Opens what is ours also where it was forbidden to us: a command may take its owner's rights."""

import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

OWNER_RIGHTS = stat.S_IRUSR | stat.S_IXUSR


@contextmanager
def opened(name: str, flags: int, parent: int) -> Iterator[int]:
    """Open a file or directory of our own; its mode is afterwards what it was.

    Args:
        name: within the directory `parent`.
        flags: for opening; never through a symbolic link.
        parent: descriptor of the directory.

    Raises:
        OSError: it cannot be opened, not even by its owner.
    """
    with ExitStack() as stack:
        try:
            descriptor = os.open(name, flags, dir_fd=parent)
        except PermissionError:
            # To the end: a directory is asked for the right with each name in it.
            stack.enter_context(_allowed(name, parent))
            descriptor = os.open(name, flags, dir_fd=parent)
        stack.callback(os.close, descriptor)
        yield descriptor


@contextmanager
def _allowed(name: str, parent: int) -> Iterator[None]:
    """Give its owner the rights to what has this name, for the length of the block."""
    # By a descriptor that needs no right: the name itself could be another's a moment later.
    place = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    try:
        mode = stat.S_IMODE(os.fstat(place).st_mode)
        os.chmod(f"/proc/self/fd/{place}", mode | OWNER_RIGHTS)
        try:
            yield
        finally:
            os.chmod(f"/proc/self/fd/{place}", mode)
    finally:
        os.close(place)
