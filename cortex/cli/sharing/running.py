"""A command that runs while its step is held: `swarm claim STEP -- COMMAND`.

The command gets the terminal, and the token of the claim in its environment. Signals that would end
us go to it; how it ends is how we end. What a terminal sends to all of its processes it has had
from there.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from cortex.cli.sharing.part import Part, note
from cortex.coordination.config import STEP_VARIABLE, TOKEN_VARIABLE
from cortex.coordination.errors import CoordinationError
from cortex.coordination.steps_rules import Step, StepState
from nervous_system.errors import BusError

FORWARDED = (
    *(signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT),
    *(signal.SIGUSR1, signal.SIGUSR2),
)
OF_TERMINAL = (signal.SIGINT, signal.SIGQUIT)
NOT_FOUND, NOT_EXECUTABLE, LOST = 127, 126, 1
SIGNAL_BASE = 128


async def run_holding(part: Part, step: Step, command: list[str], *, completes: bool) -> int:
    """Run a command, keep the claim meanwhile, and return the exit code for us."""
    part.free(step.step)
    try:
        process = await _start(part, step, command)
    except OSError as error:
        note(f"{command[0]}: {error.strerror}")
        await _release(part, step)
        return NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE
    signalled: list[int] = []
    with _forwarding(process, signalled):
        losing = asyncio.create_task(_end_when_lost(part, step, process), name="losing")
        try:
            code = await process.wait()
        finally:
            losing.cancel()
            await asyncio.gather(losing, return_exceptions=True)
    if step.step in part.lost:
        return LOST
    return await _finish(part, step, _exit_code(code), completes and not signalled, signalled)


async def _start(part: Part, step: Step, command: list[str]) -> asyncio.subprocess.Process:
    config = part.project.config
    environment = {
        **os.environ,
        "SWARM_AGENT": config.agent,
        STEP_VARIABLE: step.step,
        TOKEN_VARIABLE: str(step.token),
    }
    return await asyncio.create_subprocess_exec(*command, env=environment)


async def _finish(part: Part, step: Step, code: int, completes: bool, signalled: list[int]) -> int:
    """Say what has become of the step; the command may have said it itself."""
    if not part.project.holds(step.step, step.token):
        return code
    if code or signalled:
        await _release(part, step)
    elif completes:
        try:
            await part.project.complete(
                step.step, token=step.token, state=StepState.COMPLETE, exit_code=code
            )
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


@contextmanager
def _forwarding(process: asyncio.subprocess.Process, signalled: list[int]) -> Iterator[None]:
    """Hand signals to the command for as long as the block runs."""
    loop = asyncio.get_running_loop()
    for number in FORWARDED:
        loop.add_signal_handler(number, _handler(process, number, signalled))
    try:
        yield
    finally:
        for number in FORWARDED:
            loop.remove_signal_handler(number)


def _handler(
    process: asyncio.subprocess.Process, number: signal.Signals, signalled: list[int]
) -> Callable[[], None]:
    def handle() -> None:
        if number not in (signal.SIGUSR1, signal.SIGUSR2):
            signalled.append(number)
        if number in OF_TERMINAL and sys.stdin.isatty():
            return
        with suppress(ProcessLookupError):
            process.send_signal(number)

    return handle


def _exit_code(returned: int) -> int:
    """Return how a shell says it: 128 and the signal of a command that a signal has ended."""
    return returned if returned >= 0 else SIGNAL_BASE - returned
