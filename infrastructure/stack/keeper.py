"""Keeps one process of the stack running: starts it again when it has died, by the policy."""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from infrastructure.errors import ChildFailedError
from infrastructure.stack.child import Child, ChildSpec, start_child
from infrastructure.stack.log_file import last_line
from infrastructure.stack.restart import RestartHistory, RestartPolicy, next_restart

logger = logging.getLogger(__name__)


class Keeper:
    """One process and its restarts. `start`, then `keep` as a task until `stop`."""

    def __init__(
        self, spec: ChildSpec, policy: RestartPolicy, on_change: Callable[[], None]
    ) -> None:
        self.spec = spec
        self.child: Child | None = None
        """The process that was started last."""
        self._policy = policy
        self._on_change = on_change
        self._history = RestartHistory()
        self._started_at = 0.0
        self._is_wanted_restart = False
        self._stopping = asyncio.Event()

    async def start(self) -> Child:
        """Start the process for the first time.

        Raises:
            ChildFailedError: it could not be started.
        """
        self._started_at = time.monotonic()
        self.child = await start_child(self.spec)
        self._on_change()
        return self.child

    async def keep(self) -> None:
        """Start it again whenever it has ended, until `stop` is called."""
        while not self._stopping.is_set():
            if self.child is not None:
                await self.child.process.wait()
            if self._stopping.is_set() or await self._is_stopped_within(self._delay()):
                return
            await self._start_again()

    async def restart(self) -> None:
        """Stop the process so that `keep` starts it at once."""
        self._is_wanted_restart = True
        if self.child is not None:
            await self.child.stop()

    async def stop(self) -> None:
        """Stop the process for good."""
        self._stopping.set()
        if self.child is not None:
            await self.child.stop()

    def _delay(self) -> timedelta:
        if self._is_wanted_restart:
            self._is_wanted_restart = False
            return timedelta(0)
        delay, self._history = next_restart(
            self._policy,
            self._history,
            started_at=self._started_at,
            died_at=time.monotonic(),
        )
        self._report(delay)
        return delay

    def _report(self, delay: timedelta) -> None:
        code = self.child.process.returncode if self.child is not None else None
        logger.warning(
            "a process of the stack has ended and is started again",
            extra={
                "action": "child_died",
                "child": self.spec.name,
                "exit_code": code,
                "delay_seconds": delay.total_seconds(),
                "last_words": last_line(self.spec.log),
                "log": str(self.spec.log),
            },
        )

    async def _is_stopped_within(self, delay: timedelta) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(delay.total_seconds()):
                await self._stopping.wait()
        return self._stopping.is_set()

    async def _start_again(self) -> None:
        try:
            await self.start()
        except (ChildFailedError, OSError) as error:  # such as: no room for its log
            logger.warning(
                "a process of the stack cannot be started",
                extra={"action": "child_failed", "child": self.spec.name, "reason": str(error)},
            )
