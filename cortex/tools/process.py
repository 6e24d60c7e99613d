"""Commands in processes of their own, under limits of time, memory, output and number.

No sandbox: a command may do what its user may. What this promises is that it ends, with all that
it started, that it gets none of our environment but what is listed, and that its output is bounded.
"""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from secrets import token_hex
from typing import Any

from cortex.errors import ToolFailedError
from cortex.tools.config import Limits
from cortex.tools.finishing import unbroken
from nervous_system.comms.running import end_task

LAUNCHER = Path(__file__).with_name("launcher.py")
GRACE_SECONDS = 5.0
"""For the launcher to end what the command started, beyond the command's own time."""
CHUNK_BYTES = 64 * 1024
MARK = "SWARM_COMMAND"


class Ending(StrEnum):
    """How a command came to its end."""

    EXITED = "exited"
    SIGNALLED = "signalled"
    TIMED_OUT = "timed_out"
    OUT_OF_MEMORY = "out_of_memory"
    TOO_MANY_PROCESSES = "too_many_processes"
    ABANDONED = "abandoned"
    """It was given up, for it did not end in time or nobody waits for it."""
    LOST = "lost"
    """What watched over it was killed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandResult:
    """What became of a command."""

    ending: Ending
    exit_code: int | None
    """None unless it exited by itself."""
    signal_number: int | None
    stdout: bytes
    stderr: bytes

    @property
    def is_success(self) -> bool:
        """Whether it exited with 0."""
        return self.exit_code == 0

    def describe(self) -> str:
        """Return in a few words how it ended."""
        if self.ending is Ending.EXITED:
            return f"exit code {self.exit_code}"
        if self.signal_number is not None:
            return f"ended by signal {self.signal_number}"
        return self.ending.value.replace("_", " ")


class BoundedOutput:
    """The beginning and the end of a stream of bytes; what is between is counted and left out."""

    def __init__(self, max_bytes: int) -> None:
        self._half = max(1, max_bytes // 2)
        self._head = bytearray()
        self._tail = bytearray()
        self._dropped = 0

    def add(self, chunk: bytes) -> None:
        """Take what came next."""
        room = self._half - len(self._head)
        self._head += chunk[:room]
        self._tail += chunk[max(0, room) :]
        excess = len(self._tail) - self._half
        if excess > 0:
            self._dropped += excess
            del self._tail[:excess]

    def content(self) -> bytes:
        """Return what was kept, with a line in the place of what was not."""
        if not self._dropped:
            return bytes(self._head + self._tail)
        gap = b"\n[... %d bytes left out ...]\n" % self._dropped
        return bytes(self._head) + gap + bytes(self._tail)


def build_environment(
    inherited: Mapping[str, str], extra: Mapping[str, str], home: Path
) -> dict[str, str]:
    """Return the environment of a command.

    Args:
        inherited: what it sees of ours.
        extra: from the run's configuration; comes last.
        home: an empty directory, so that no credentials of the user's are found by accident.
    """
    base = {
        "HOME": str(home),
        "TMPDIR": str(home),
        "PYTHONDONTWRITEBYTECODE": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "PATH": os.defpath,
    }
    return {**base, **inherited, **extra}


async def run_command(
    command: Sequence[str],
    *,
    directory: Path,
    environment: Mapping[str, str],
    limits: Limits,
) -> CommandResult:
    """Run `command` to its end; cancelling ends it and all that it started.

    Raises:
        ToolFailedError: it cannot be started at all.
    """
    mark = token_hex(16)
    life_read, life_write = os.pipe()
    report_read, report_write = os.pipe()
    try:
        process = await _start(
            command, directory, {**environment, MARK: mark}, limits, (life_read, report_write)
        )
    except OSError as error:
        os.close(life_write)
        os.close(report_read)
        raise ToolFailedError(
            tool=str(command[0]), reason=f"cannot be started: {error.strerror}"
        ) from error
    finally:
        os.close(life_read)
        os.close(report_write)
    running = _Running(process, report_read, mark, limits)
    try:
        await running.report(limits.seconds + GRACE_SECONDS)
    finally:
        os.close(life_write)  # if it still runs, the launcher sees it and ends everything
        await unbroken(running.end())
    return running.result()


class _Running:
    """A launcher at work, its outputs being read."""

    def __init__(self, process: Process, report: int, mark: str, limits: Limits) -> None:
        self._process = process
        self._report = report
        self._mark = mark
        self._line = b""
        self._outputs = (BoundedOutput(limits.output_bytes), BoundedOutput(limits.output_bytes))
        self._readers = [
            asyncio.create_task(_read(stream, output), name="command output")
            for stream, output in zip((process.stdout, process.stderr), self._outputs, strict=True)
        ]

    async def report(self, seconds: float) -> None:
        """Wait for the launcher to say how it ended, or to die; no longer than `seconds`."""
        loop = asyncio.get_running_loop()
        readable: asyncio.Future[None] = loop.create_future()
        loop.add_reader(self._report, _set_once, readable)
        try:
            await asyncio.wait({readable}, timeout=seconds)
        finally:
            loop.remove_reader(self._report)
        if readable.done():
            self._line = os.read(self._report, CHUNK_BYTES)

    async def end(self) -> None:
        """Return when nothing of it runs any more and all of its output is read."""
        if not self._line:
            await self.report(GRACE_SECONDS)
        if not self._line:
            await asyncio.to_thread(_kill_marked, self._mark)
        os.close(self._report)
        # What hides from us could hold its outputs open for ever: it is not waited for.
        ended = asyncio.create_task(self._process.wait(), name="command end")
        await asyncio.wait({ended, *self._readers}, timeout=GRACE_SECONDS)
        for task in (ended, *self._readers):
            await end_task(task)

    def result(self) -> CommandResult:
        """Return what became of the command."""
        report: dict[str, Any] = json.loads(self._line or b'{"ending": "lost"}')
        ending = Ending(report["ending"])
        return CommandResult(
            ending=ending,
            exit_code=report["code"] if ending is Ending.EXITED else None,
            signal_number=report["code"] if ending is Ending.SIGNALLED else None,
            stdout=self._outputs[0].content(),
            stderr=self._outputs[1].content(),
        )


async def _start(
    command: Sequence[str],
    directory: Path,
    environment: Mapping[str, str],
    limits: Limits,
    descriptors: tuple[int, int],
) -> Process:
    launcher = [sys.executable, "-I", "-S", "-B", str(LAUNCHER)]
    return await asyncio.create_subprocess_exec(
        *launcher,
        *map(str, descriptors),
        json.dumps(asdict(limits)),
        *command,
        cwd=directory,
        env=environment,
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
        pass_fds=descriptors,
        start_new_session=True,
    )


def _set_once(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)


async def _read(stream: asyncio.StreamReader | None, output: BoundedOutput) -> None:
    while stream is not None and (chunk := await stream.read(CHUNK_BYTES)):
        output.add(chunk)


def _kill_marked(mark: str) -> None:
    """Kill what a command left that killed its launcher: its environment tells it."""
    needle = f"{MARK}={mark}".encode()
    for path in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if needle in path.read_bytes().split(b"\0"):
                os.kill(int(path.parent.name), signal.SIGKILL)
