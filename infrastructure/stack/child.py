"""One process of the stack: started with its log, watched, stopped politely and then not.

On Linux the kernel is asked to end a child when the supervisor dies, so that `kill -9` of the
supervisor leaves nothing behind; elsewhere the next `swarm up` does that (see `leftover`).
"""

import asyncio
import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from infrastructure.errors import ChildFailedError
from infrastructure.stack.http_probe import http_get
from infrastructure.stack.log_file import keep_log_short, last_line

PR_SET_PDEATHSIG = 1
PROBE_PAUSE_SECONDS = 0.02
PROBE_TIMEOUT_SECONDS = 1.0
HTTP_OK = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildSpec:
    """How one process is started, seen to be ready, and stopped."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    """All of it, not only what differs."""
    log: Path
    ready_url: str
    """Answers 200 when the process does its work."""
    stop_timeout: timedelta = timedelta(seconds=20)
    """How long it may take to drain before it is killed."""


@dataclass(slots=True)
class Child:
    """A running process; made by `start_child`."""

    spec: ChildSpec
    process: asyncio.subprocess.Process
    started_at: float = field(default_factory=time.monotonic)
    """On the monotonic clock."""

    @property
    def name(self) -> str:
        """Name of its duty."""
        return self.spec.name

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self.process.returncode is None

    async def wait_ready(self, timeout: timedelta) -> None:
        """Return when it answers at its `ready_url`.

        Raises:
            ChildFailedError: it ended, or did not answer in time.
        """
        try:
            async with asyncio.timeout(timeout.total_seconds()):
                while not await self.is_ready():
                    if not self.is_running:
                        raise self.failure(f"it ended with {self.process.returncode}")
                    await asyncio.sleep(PROBE_PAUSE_SECONDS)
        except TimeoutError as error:
            raise self.failure(f"not ready within {timeout.total_seconds():g} s") from error

    async def is_ready(self) -> bool:
        """Ask once."""
        answer = await http_get(self.spec.ready_url, timeout=PROBE_TIMEOUT_SECONDS)
        return answer is not None and answer.status == HTTP_OK

    async def stop(self) -> None:
        """Ask it to drain and end; kill it when it takes too long."""
        if not self.is_running:
            return
        with suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(self.spec.stop_timeout.total_seconds()):
                await self.process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                self.process.kill()
            await self.process.wait()

    def failure(self, reason: str) -> ChildFailedError:
        """Return the error that names this child, its last words and its log."""
        words = last_line(self.spec.log)
        said = f"{reason}, saying: {words}" if words else reason
        return ChildFailedError(name=self.name, reason=said, log=str(self.spec.log))


async def start_child(spec: ChildSpec) -> Child:
    """Start the process with its output appended to its log."""
    spec.log.parent.mkdir(parents=True, exist_ok=True)
    keep_log_short(spec.log)
    descriptor = os.open(spec.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        process = await asyncio.create_subprocess_exec(
            *spec.command,
            env=dict(spec.environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            # Ctrl-C in the terminal reaches the supervisor only, which drains
            start_new_session=True,
            # safe here: the supervisor has no other thread when it starts a child
            preexec_fn=die_with_parent(),
        )
    except OSError as error:
        raise ChildFailedError(
            name=spec.name, reason=f"{spec.command[0]}: {error.strerror}", log=str(spec.log)
        ) from error
    finally:
        os.close(descriptor)
    return Child(spec, process)


def die_with_parent() -> Callable[[], None] | None:
    """Return what a forked child calls so that the kernel ends it with its parent; Linux only."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def ask_kernel() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    return ask_kernel
