"""Ends a command that is asked to end as Ctrl-C does: by an exception, so that it cleans up."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

ENDING_SIGNALS = (signal.SIGTERM, signal.SIGHUP)
SIGNAL_BASE = 128
"""A shell says 128 and the signal's number of a command that a signal has ended."""


@contextmanager
def cleaning_up_at_signals() -> Iterator[None]:
    """Turn the first SIGTERM or SIGHUP into `SystemExit`; those after it do not stop the cleaning.

    Enter it in the main thread.
    """
    before = {number: signal.signal(number, _end) for number in ENDING_SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(number: int, _: FrameType | None) -> None:
    for each in ENDING_SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    raise SystemExit(SIGNAL_BASE + number)
