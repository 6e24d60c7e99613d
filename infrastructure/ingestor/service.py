"""The ingestor: every stream on its way into history, heads copied, health and metrics served."""

import asyncio
import logging
import os
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, ExitStack

from infrastructure.errors import HistoryError, PortTakenError
from infrastructure.history.client import HistoryClient, open_history
from infrastructure.ingestor.appending import Appender
from infrastructure.ingestor.checkpoints import CheckpointCopier
from infrastructure.ingestor.config import IngestorConfig
from infrastructure.ingestor.health import Answer, open_health
from infrastructure.ingestor.metrics import IngestorMetrics
from infrastructure.ingestor.shard import Shard
from nervous_system.comms.connection import open_nats
from nervous_system.comms.pausing import pause

logger = logging.getLogger(__name__)

_OPEN_RETRY_SECONDS = 0.5


class IngestorService:
    """One ingestor process. `run` returns once `stop` is set and what was read is in history."""

    def __init__(
        self, config: IngestorConfig, problems: Callable[[], Sequence[str]] = tuple
    ) -> None:
        """Take the settings.

        Args:
            config: what to do.
            problems: says what else keeps the process from being ready.
        """
        self._config = config
        self._problems = problems
        self._metrics = IngestorMetrics()
        self._shards: list[Shard] = []
        self.port = 0
        """Where health and metrics are served, once `run` has begun."""

    @property
    def is_ready(self) -> bool:
        """Whether every stream flows into history."""
        is_flowing = bool(self._shards) and all(shard.is_ready for shard in self._shards)
        return is_flowing and not self._problems()

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop` is set.

        Raises:
            ExceptionGroup: a stream cannot be brought into this history; the errors inside say why.
            PortTakenError: health and metrics cannot be served.
        """
        async with AsyncExitStack() as stack:
            await self._serve_health(stack)
            client = await self._open_history(stack, stop)
            if client is not None:
                await self._move(client, stop)

    async def _serve_health(self, stack: AsyncExitStack) -> None:
        routes = {"/healthz": self._health, "/readyz": self._readiness, "/metrics": self._render}
        host, port = self._config.host, self._config.port
        try:
            self.port = await stack.enter_async_context(open_health(host, port, routes=routes))
        except OSError as error:
            raise PortTakenError(
                host=host,
                port=port,
                variable="SWARM_INGESTOR_PORT",
                reason=os.strerror(error.errno) if error.errno else str(error),
            ) from error
        logger.info("serving", extra={"action": "serving", "port": self.port})

    async def _open_history(
        self, stack: AsyncExitStack, stop: asyncio.Event
    ) -> HistoryClient | None:
        """Open history as soon as it answers; None: stopped before."""
        while not stop.is_set():
            opened = ExitStack()
            try:
                client = await asyncio.to_thread(
                    opened.enter_context, open_history(self._config.history)
                )
            except HistoryError as error:
                logger.warning(
                    "history is away", extra={"action": "history_away", "reason": str(error)}
                )
                await pause(stop, _OPEN_RETRY_SECONDS)
                continue
            stack.push_async_callback(asyncio.to_thread, opened.close)
            return client
        return None

    async def _move(self, client: HistoryClient, stop: asyncio.Event) -> None:
        """Bring the streams into history, and their heads back onto the bus."""
        url, name = self._config.wire.url, self._config.wire.name
        async with open_nats(url, name=f"{name} heads", is_required=False) as nats:
            jetstream = nats.jetstream()
            copied = asyncio.Event()
            async with asyncio.TaskGroup() as group:
                copiers = []
                for stream in self._config.streams:
                    appender = Appender(client, stream)
                    shard = Shard(self._config, stream, appender, self._metrics)
                    copier = CheckpointCopier(jetstream, appender, stream)
                    shard.on_head = copier.wake
                    self._shards.append(shard)
                    copiers.append(group.create_task(copier.run(copied)))
                moving = [group.create_task(shard.run(stop)) for shard in self._shards]
                await asyncio.wait(moving)
                # Heads of the last batches are copied before the bus is left.
                copied.set()

    def _health(self) -> Answer:
        return 200, "ok\n"

    def _readiness(self) -> Answer:
        if self.is_ready:
            return 200, "ready\n"
        waiting = [shard.stream for shard in self._shards if not shard.is_ready]
        reasons = [*waiting, *self._problems()] or ["history"]
        return 503, f"not ready: {', '.join(reasons)}\n"

    def _render(self) -> Answer:
        for shard in self._shards:
            shard.observe()
        return 200, self._metrics.render().decode()
