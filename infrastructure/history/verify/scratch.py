"""Names of scratch databases, from which it can be told whether their run still lives."""

import os
import secrets
import socket
from hashlib import sha256

PREFIX = "swarm_verify_"


def scratch_name() -> str:
    """Return a name of its own for a database of this process."""
    return f"{_of_this_machine()}{os.getpid()}_{secrets.token_hex(6)}"


def is_left_behind(name: str) -> bool:
    """Return whether a process of this machine made this database and has ended since."""
    start = _of_this_machine()
    number = name.removeprefix(start).partition("_")[0]
    if not name.startswith(start) or not number.isdecimal():
        return False  # of another machine, or not of this form: whether it is in use is not known
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False
    return False


def _of_this_machine() -> str:
    return f"{PREFIX}{sha256(socket.gethostname().encode()).hexdigest()[:8]}_"
