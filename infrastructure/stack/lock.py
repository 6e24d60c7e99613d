"""One stack per home: whoever holds the lock runs it, and the lock ends with its process."""

import fcntl
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from infrastructure.errors import StackRunningError
from nervous_system.home import Home

ATTEMPTS = 10
PAUSE_SECONDS = 0.02


def lock_file(home: Home) -> Path:
    """Return the file that the running stack holds locked."""
    return home.root / "stack.lock"


@contextmanager
def hold_stack_lock(home: Home) -> Iterator[None]:
    """Hold the lock of the home.

    Raises:
        StackRunningError: another process holds it.
    """
    descriptor = os.open(lock_file(home), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _take_or_refuse(descriptor, home)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def reserving_ports() -> Iterator[Callable[[int], bool]]:
    """Give a function that reserves a port among the stacks of this user, until the block ends.

    Two stacks that start at the same moment would otherwise find the same ports free. The function
    returns False where another stack has the port.
    """
    folder = Path(tempfile.gettempdir()) / f"enchanted-swarm-ports-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    with ExitStack() as held:

        def reserve(port: int) -> bool:
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
            descriptor = os.open(folder / f"{port}.lock", flags, 0o600)
            is_ours = _take(descriptor)
            if is_ours:
                held.callback(os.close, descriptor)
            else:
                os.close(descriptor)
            return is_ours

        yield reserve


def is_stack_running(home: Home) -> bool:
    """Return whether a process holds the lock of the home."""
    try:
        descriptor = os.open(lock_file(home), os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        return not _take(descriptor)
    finally:
        os.close(descriptor)


def supervisor_pid(home: Home) -> int:
    """Return the pid of who holds, or held last, the lock; 0 where nobody ever did."""
    try:
        return int(lock_file(home).read_text(encoding="ascii") or 0)
    except FileNotFoundError:
        return 0


def running_error(home: Home) -> StackRunningError:
    """Return the error that says where the running stack is."""
    record = home.stack() or {}
    return StackRunningError(
        home=str(home.root),
        pid=supervisor_pid(home),
        nats_url=str(record.get("public_nats_url", "still starting")),
    )


def _take_or_refuse(descriptor: int, home: Home) -> None:
    # a look by `is_stack_running` holds the lock for an instant
    for _ in range(ATTEMPTS):
        if _take(descriptor):
            return
        time.sleep(PAUSE_SECONDS)
    raise running_error(home)


def _take(descriptor: int) -> bool:
    """Take the lock for this descriptor if nobody holds it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
