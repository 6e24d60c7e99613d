"""When each event of a replay is due: pure, so that the shell only waits."""

FULL_SPEED = 0.0


class Pacer:
    """Says of event after event when it is due.

    An event whose time lies before that of an earlier one is due at once. Speed 2 halves every
    pause, `FULL_SPEED` leaves all of them out. A pause is cut to `longest_pause_ns` after scaling.
    """

    def __init__(self, speed: float, longest_pause_ns: int | None = None) -> None:
        self._speed = speed
        self._longest_pause_ns = longest_pause_ns
        self._due = 0
        self._latest: int | None = None

    def due(self, time_ns: int) -> int:
        """Return how many nanoseconds after the first event this one is due; never goes back."""
        if self._latest is not None and time_ns > self._latest and self._speed > FULL_SPEED:
            pause = int((time_ns - self._latest) / self._speed)
            longest = self._longest_pause_ns
            self._due += pause if longest is None else min(pause, longest)
        self._latest = time_ns if self._latest is None else max(self._latest, time_ns)
        return self._due
