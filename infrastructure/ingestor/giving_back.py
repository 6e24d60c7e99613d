"""Gives memory back to the system once a session was broken off.

What a broken session had under way, tens of megabytes, is held by the tracebacks of its errors, and
the pieces that it was made of leave holes that the C library keeps for itself: with history away
again and again, a process of 200 MiB would come to 500.
"""

import ctypes
import gc
from contextlib import suppress


def give_back() -> None:
    """Collect what is unreachable and return what is free, where the C library can; some 50 ms."""
    gc.collect()
    with suppress(AttributeError, OSError):  # no glibc
        ctypes.CDLL(None).malloc_trim(0)
