"""Runs the ingestor as a process: settings from the environment, signals, exit codes."""

import asyncio
import gc
import logging
import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from infrastructure.errors import StackError
from infrastructure.ingestor.companions import Companion, Companions, leaves
from infrastructure.ingestor.config import IngestorConfig
from infrastructure.ingestor.service import IngestorService
from infrastructure.intake.service import intake_companions
from infrastructure.logs import configure_logging
from nervous_system.comms.event_loop import loop_factory
from nervous_system.errors import SwarmError

logger = logging.getLogger(__name__)

SWITCH_INTERVAL_SECONDS = 0.001
"""How long Python may keep the thread that sends an insert waiting while the event loop works on
the next batch; the default of 5 ms would stall each piece that is sent."""
GC_THRESHOLDS = (50_000, 20, 100)
"""How many objects between two looks for garbage in cycles: each event makes a few that live as
long as its batch, and the default looks at them again and again."""


class DrainTimeoutError(StackError):
    """What was read did not reach history in time; the stream still has it."""

    def __init__(self, *, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(
            f"stopped without draining after {seconds:g} s: what was under way is still in the "
            "stream and is read again at the next start"
        )


def main(environment: Mapping[str, str] | None = None, log_format: str = "text") -> int:
    """Run until SIGTERM or SIGINT; return the process's exit code."""
    configure_logging(log_format)
    sys.setswitchinterval(SWITCH_INTERVAL_SECONDS)
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    try:
        settings = os.environ if environment is None else environment
        config = IngestorConfig.from_env(settings)
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(run(config, intake_companions(settings)))
    except SwarmError as error:
        sys.stderr.write(f"ingestor: {error}\n")
        return 1
    except ExceptionGroup as group:
        ours, others = group.split(SwarmError)
        for leaf in leaves(ours) if ours else ():
            sys.stderr.write(f"ingestor: {leaf}\n")
        if others:
            raise others from None
        return 1
    return 0


async def run(config: IngestorConfig, companions: Sequence[Companion] = ()) -> None:
    """Run the service and its companions until a signal asks to stop; then drain.

    Raises:
        ExceptionGroup: the service cannot go on; the errors inside say why.
        DrainTimeoutError: what was read did not reach history in time.
    """
    stop = asyncio.Event()
    with _stop_at_signals(stop):
        running = asyncio.create_task(_run_all(config, companions, stop))
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
            try:
                async with asyncio.timeout(config.drain_timeout.total_seconds()):
                    await running
            except TimeoutError as error:
                raise DrainTimeoutError(seconds=config.drain_timeout.total_seconds()) from error
        finally:
            stopping.cancel()
            running.cancel()
            await asyncio.wait({running, stopping})


async def _run_all(
    config: IngestorConfig, companions: Sequence[Companion], stop: asyncio.Event
) -> None:
    async with asyncio.TaskGroup() as group:
        kept = Companions(companions)
        group.create_task(kept.run(stop))
        await IngestorService(config, lambda: kept.problems).run(stop)
        stop.set()


@contextmanager
def _stop_at_signals(stop: asyncio.Event) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
