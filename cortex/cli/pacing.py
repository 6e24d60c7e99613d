"""When each event of a replay is due: pure, so that the shell only waits."""

from collections.abc import Iterable, Iterator

FULL_SPEED = 0.0


def due_offsets(
    times_ns: Iterable[int], *, speed: float, longest_pause_ns: int | None = None
) -> Iterator[int]:
    """Yield for each event time how many nanoseconds after the first event it is due.

    Offsets never go back: an event whose time lies before that of an earlier one is due at once.
    `speed` 2 halves every pause, `FULL_SPEED` leaves all of them out. A pause is cut to
    `longest_pause_ns` after scaling.
    """
    due = 0
    latest: int | None = None
    for time_ns in times_ns:
        if latest is not None and time_ns > latest and speed > FULL_SPEED:
            pause = int((time_ns - latest) / speed)
            due += pause if longest_pause_ns is None else min(pause, longest_pause_ns)
        latest = time_ns if latest is None else max(latest, time_ns)
        yield due
