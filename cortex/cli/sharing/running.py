"""A command that runs while its step is held: `swarm claim STEP -- COMMAND`.

The command gets the terminal, and the token of the claim in its environment. Signals that would end
us go to it; how it ends is how we end. What a terminal sends to all of its processes it has had
from there.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from cortex.cli.sharing.part import Part, note
from cortex.coordination.config import STEP_VARIABLE, TOKEN_VARIABLE
from cortex.coordination.errors import CoordinationError
from cortex.coordination.steps_rules import Step
from nervous_system.errors import BusError

PASSING = (signal.SIGUSR1, signal.SIGUSR2)
FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, *PASSING)
OF_TERMINAL = (signal.SIGINT, signal.SIGQUIT)
NOT_FOUND, NOT_EXECUTABLE, LOST = 127, 126, 1
SIGNAL_BASE = 128


class Signals:
    """Signals to this process, for the command that it runs. Made by `forwarding`."""

    def __init__(self) -> None:
        self.ending: list[int] = []
        """Those that are to end it, in order."""
        self.process: asyncio.subprocess.Process | None = None
        """Where they go; None: the command has not begun."""

    def take(self, number: signal.Signals) -> None:
        """Hand on a signal; what a terminal sends, the command has had from there."""
        if number not in PASSING:
            self.ending.append(number)
        if self.process is None or (number in OF_TERMINAL and sys.stdin.isatty()):
            return
        with suppress(ProcessLookupError):
            self.process.send_signal(number)


@contextmanager
def forwarding() -> Iterator[Signals]:
    """Take the signals to this process for as long as the block runs."""
    loop, signals = asyncio.get_running_loop(), Signals()
    for number in FORWARDED:
        loop.add_signal_handler(number, signals.take, number)
    try:
        yield signals
    finally:
        for number in FORWARDED:
            loop.remove_signal_handler(number)


async def run_holding(
    part: Part, step: Step, command: list[str], signals: Signals, *, completes: bool
) -> int:
    """Run a command, keep the claim meanwhile, and return the exit code for us."""
    part.free(step.step)
    if signals.ending:  # asked to end while it was claiming
        await _release(part, step)
        return SIGNAL_BASE + signals.ending[0]
    try:
        process = signals.process = await _start(part, step, command)
    except OSError as error:
        note(f"{command[0]}: {error.strerror}")
        await _release(part, step)
        return NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE
    for number in signals.ending:  # while it was starting
        with suppress(ProcessLookupError):
            process.send_signal(number)
    losing = asyncio.create_task(_end_when_lost(part, step, process), name="losing")
    try:
        code = _exit_code(await process.wait())
    finally:
        losing.cancel()
        await asyncio.gather(losing, return_exceptions=True)
    if step.step in part.lost:
        return LOST
    is_done = not code and not signals.ending
    return await _finish(part, step, code, is_done=is_done, completes=completes)


async def _start(part: Part, step: Step, command: list[str]) -> asyncio.subprocess.Process:
    config = part.project.config
    environment = {
        **os.environ,
        "SWARM_AGENT": config.agent,
        STEP_VARIABLE: step.step,
        TOKEN_VARIABLE: str(step.token),
    }
    return await asyncio.create_subprocess_exec(*command, env=environment)


async def _finish(part: Part, step: Step, code: int, *, is_done: bool, completes: bool) -> int:
    """Say what has become of the step, unless the command has said it itself."""
    if not part.project.holds(step.step, step.token):
        return code
    if not is_done:
        await _release(part, step)
    elif completes:
        try:
            await part.project.complete(step.step, token=step.token, exit_code=code)
        except (CoordinationError, BusError) as error:
            note(str(error))
            return LOST
    else:
        note(f"{step.step} is still yours: `swarm complete {step.step}` when it is done")
    return code


async def _release(part: Part, step: Step) -> None:
    try:
        await part.project.release(step.step, token=step.token)
    except (CoordinationError, BusError) as error:
        note(f"{step.step} was not released: {error}")


async def _end_when_lost(part: Part, step: Step, process: asyncio.subprocess.Process) -> None:
    """End the command once the claim is lost: somebody else works on the step."""
    while step.step not in part.lost:
        await part.has_lost.wait()
        part.has_lost.clear()
    with suppress(ProcessLookupError):
        process.terminate()


def _exit_code(returned: int) -> int:
    """Return how a shell says it: 128 and the signal of a command that a signal has ended."""
    return returned if returned >= 0 else SIGNAL_BASE - returned
