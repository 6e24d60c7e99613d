"""How the process is doing: CPU load and resident memory, from the operating system alone."""

import os
import sys
import time
from pathlib import Path

_MIB = 1024 * 1024
_STATM = Path("/proc/self/statm")


class Vitals:
    """Measures the process; the load is the average since the measurement before."""

    __slots__ = ("_at", "_cpu_seconds")

    def __init__(self) -> None:
        self._at = time.monotonic()
        self._cpu_seconds = time.process_time()

    def cpu_load_percent(self) -> int:
        """Return the load in percent of one core since the last call; above 100 with threads."""
        at, cpu_seconds = time.monotonic(), time.process_time()
        elapsed = at - self._at
        load = 100 * (cpu_seconds - self._cpu_seconds) / elapsed if elapsed > 0 else 0.0
        self._at, self._cpu_seconds = at, cpu_seconds
        return round(load)


def memory_usage_mb() -> int:
    """Return the resident memory of the process in MiB; its peak where the system tells no more."""
    try:
        resident_pages = int(_STATM.read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return _peak_memory_mb()
    return resident_pages * os.sysconf("SC_PAGE_SIZE") // _MIB


def _peak_memory_mb() -> int:
    try:
        import resource
    except ImportError:  # Windows
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // _MIB if sys.platform == "darwin" else peak // 1024
