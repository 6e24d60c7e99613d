"""Runs one command within limits and ends all that it started; a program of its own.

    python -I -S launcher.py LIFE_FD STATUS_FD LIMITS_JSON COMMAND ...

Started by `process.py`. It imports nothing of ours, so that it starts fast. Whatever the command
starts, also in sessions of its own, stays below this process (it is their reaper) and is killed
when the command has ended, when a limit is passed, or when the one who holds the other end of
LIFE_FD is gone, be it by kill -9. Then one line of JSON goes to STATUS_FD.
"""

import ctypes
import json
import os
import resource
import select
import signal
import sys
import time

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
IS_LINUX = sys.platform == "linux"
FIRST_LOOK_SECONDS = 0.01
LAST_LOOK_SECONDS = 0.25
KILL_ROUNDS = 1000
KILL_PAUSE_SECONDS = 0.002
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
NOT_FOUND, NOT_EXECUTABLE = 127, 126


def main(arguments: list[str]) -> int:
    """Run the command of `arguments` to an end and report it."""
    life, status = int(arguments[0]), int(arguments[1])
    limits = json.loads(arguments[2])
    for descriptor in (life, status):
        os.set_inheritable(descriptor, False)  # the command has no part in them
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    child = os.fork()
    if not child:
        _become(arguments[3:], limits)
    ending, code = _watch(child, life, limits)
    _end_all(child)
    os.write(status, json.dumps({"ending": ending, "code": code}).encode() + b"\n")
    return 0


def _become(command: list[str], limits: dict[str, float]) -> None:
    """Turn into the command: a session of its own, limited, dying with this process."""
    os.setsid()
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    for name, key in (("RLIMIT_DATA", "memory_bytes"), ("RLIMIT_FSIZE", "file_bytes")):
        _limit(getattr(resource, name), int(limits[key]))
    _limit(resource.RLIMIT_CORE, 0)
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execvp(command[0], command)  # noqa: S606 # no shell is wanted here
    except OSError as error:
        os.write(2, f"{command[0]}: {error.strerror}\n".encode("utf-8", "surrogateescape"))
        os._exit(NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE)


def _limit(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    allowed = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (allowed, allowed))


def _watch(child: int, life: int, limits: dict[str, float]) -> tuple[str, int]:
    """Return how the command came to its end, and its exit code or the signal's number."""
    deadline = time.monotonic() + limits["seconds"]
    watched = [life, os.pidfd_open(child)] if IS_LINUX else [life]
    pause = FIRST_LOOK_SECONDS
    while True:
        ended = _reap(child)
        if ended is not None:
            return ended
        passed = _passed_limit(limits)
        if passed:
            return passed, 0
        left = deadline - time.monotonic()
        if left <= 0:
            return "timed_out", 0
        if life in select.select(watched, [], [], min(pause, left))[0]:
            return "abandoned", 0
        pause = min(2 * pause, LAST_LOOK_SECONDS)


def _reap(child: int) -> tuple[str, int] | None:
    """Take the ended ones off the table; the command's own end is what counts."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return "lost", 0
        if not pid:
            return None
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
            return ("exited", code) if code >= 0 else ("signalled", -code)


def _passed_limit(limits: dict[str, float]) -> str:
    found = _descendants()
    if len(found) > limits["processes"]:
        return "too_many_processes"
    if sum(map(_resident_bytes, found)) > limits["memory_bytes"]:
        return "out_of_memory"
    return ""


def _end_all(group: int) -> None:
    """Stop, then kill what is left, until nothing is: what is stopped starts nothing new."""
    if not IS_LINUX:
        _send(-group, signal.SIGKILL)
        return
    for _ in range(KILL_ROUNDS):
        stopped: set[int] = set()
        while new := set(_descendants()) - stopped:
            for pid in new:
                _send(pid, signal.SIGSTOP)
            stopped |= new
        if not stopped:
            return
        for pid in stopped:
            _send(pid, signal.SIGKILL)
        _reap(0)
        time.sleep(KILL_PAUSE_SECONDS)


def _send(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return


def _descendants() -> list[int]:
    """Return the living processes below this one."""
    if not IS_LINUX:
        return []
    below: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            parent = _parent(name)
            if parent:
                below.setdefault(parent, []).append(int(name))
    found: list[int] = []
    waiting = [os.getpid()]
    while waiting:
        children = below.get(waiting.pop(), [])
        found += children
        waiting += children
    return found


def _parent(pid: str) -> int:
    """Return the parent of a process; 0 for one that is gone or a zombie."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            state, parent = file.read().rpartition(b") ")[2].split(b" ", 2)[:2]
    except (OSError, ValueError):
        return 0
    return 0 if state in b"ZX" else int(parent)


def _resident_bytes(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/statm", "rb") as file:
            return int(file.read().split()[1]) * PAGE_BYTES
    except (OSError, ValueError, IndexError):
        return 0


def _prctl(option: int, value: int) -> None:
    if IS_LINUX:
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
