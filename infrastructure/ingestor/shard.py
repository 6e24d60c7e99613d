"""Keeps one stream flowing into history: one session after another, with growing pauses.

A session begins with what history and the stream say, never with what this process remembers. What
cannot be mended by trying again (a history that belongs to another stream) ends the service,
loudly.
"""

import asyncio
import logging
import random
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from infrastructure.errors import (
    HistoryAheadError,
    HistoryDamagedError,
    HistoryError,
    InsertRejectedError,
    StaleBatchError,
    StreamChangedError,
)
from infrastructure.ingestor.appending import Appender, HistoryState, check_belongs
from infrastructure.ingestor.batching import BatchLimits
from infrastructure.ingestor.config import IngestorConfig
from infrastructure.ingestor.feed import Feed, look_at_stream, open_feed
from infrastructure.ingestor.giving_back import give_back
from infrastructure.ingestor.metrics import IngestorMetrics
from infrastructure.ingestor.pipeline import Pipeline
from infrastructure.ingestor.stream_api import (
    StreamState,
    check_reaches,
    first_message,
    stream_state,
)
from infrastructure.ingestor.underway import Appended, RefusedRowsError
from infrastructure.ingestor.wire import open_wire
from nervous_system.comms.pausing import pause
from nervous_system.errors import BusError

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)

FIRST_DELAY_SECONDS = 0.05
LAST_DELAY_SECONDS = 5.0
STALE_DELAY_SECONDS = 0.2
"""Longest pause after another ingestor was first: chance lets the two take turns."""
WATCH_SECONDS = 10.0
ALARM_RATIO = 0.5
"""Share of a stream's limits that un-ingested events may reach before it is said aloud."""
MAX_REFUSED = 100_000
_NANOSECONDS = 1_000_000_000
_FATAL = (HistoryAheadError, HistoryDamagedError, StreamChangedError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag:
    """What of a stream is not in history yet."""

    events: int = 0
    seconds: float = 0.0
    """Age of the oldest; 0 without one."""


class Shard:
    """One stream on its way into history."""

    def __init__(
        self, config: IngestorConfig, stream: str, appender: Appender, metrics: IngestorMetrics
    ) -> None:
        self._config = config
        self._stream = stream
        self._appender = appender
        self._metrics = metrics
        self._limits = config.limits
        self._refused: set[int] = set()
        self._feed: Feed | None = None
        self._pipeline: Pipeline | None = None
        self._sequence: int | None = None
        self._stored_ns = 0
        self._seen_lag = Lag()
        self._is_flowing = False
        self.on_head: Callable[[], None] = lambda: None
        """Called after each batch."""

    @property
    def stream(self) -> str:
        """Name of the stream."""
        return self._stream

    @property
    def is_ready(self) -> bool:
        """Whether messages flow: bus and history answer, and the last insert went well."""
        return self._is_flowing and self._feed is not None and self._feed.is_connected

    async def run(self, stop: asyncio.Event) -> None:
        """Run sessions until `stop` is set.

        Raises:
            ExceptionGroup: of one of these.
            HistoryAheadError: history holds what the stream never had, or has no more.
            StreamChangedError: history was filled from another stream of the same name.
            HistoryDamagedError: history does not end as it should.
        """
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(self._watch())
            await self._sessions(stop)
            watching.cancel()

    def observe(self) -> None:
        """Bring the gauges up to date; called when metrics are asked for."""
        lag = self._lag()
        self._metrics.lag_events.labels(self._stream).set(lag.events)
        self._metrics.lag_seconds.labels(self._stream).set(lag.seconds)
        self._metrics.is_ready.labels(self._stream).set(int(self.is_ready))

    async def _sessions(self, stop: asyncio.Event) -> None:
        delay = FIRST_DELAY_SECONDS
        while not stop.is_set():
            began_at = time.monotonic()
            try:
                await self._session(stop)
            except _FATAL:
                raise
            except StaleBatchError as error:
                self._note(error)
                await pause(stop, random.random() * STALE_DELAY_SECONDS)  # noqa: S311 no secret
            except RefusedRowsError as error:
                self._note(error)
            except (HistoryError, BusError) as error:
                self._note(error)
                if time.monotonic() - began_at > LAST_DELAY_SECONDS:
                    delay = FIRST_DELAY_SECONDS
                await pause(stop, delay)
                delay = min(2 * delay, LAST_DELAY_SECONDS)
            give_back()

    async def _session(self, stop: asyncio.Event) -> None:
        history = await self._appender.state()
        state = await look_at_stream(self._config.wire, self._stream)
        check_belongs(history, state)
        self._sequence, self._stored_ns = history.head.sequence, 0
        self._note_gap(history, state)
        start = history.head.sequence + 1
        budget = self._config.read_ahead_bytes
        async with open_feed(self._config.wire, state, start, budget) as feed:
            pipeline = Pipeline(
                feed,
                self._appender,
                history.head,
                state.identity,
                limits=self._limits,
                refused=self._refused,
                on_appended=self._note_appended,
            )
            self._feed, self._pipeline, self._is_flowing = feed, pipeline, True
            try:
                await pipeline.run(stop)
            finally:
                self._feed, self._pipeline, self._is_flowing = None, None, False

    def _note_appended(self, appended: Appended) -> None:
        metrics, stream = self._metrics, self._stream
        metrics.ingested.labels(stream).inc(appended.rows)
        metrics.undecodable.labels(stream).inc(appended.undecodable)
        metrics.repeated.labels(stream).inc(appended.repeated)
        metrics.batch_rows.labels(stream).observe(appended.rows)
        metrics.insert_seconds.labels(stream).observe(appended.seconds)
        metrics.sequence.labels(stream).set(appended.head.sequence)
        self._sequence, self._stored_ns = appended.head.sequence, appended.stored_ns
        self._limits = self._config.limits
        self.on_head()

    def _note(self, error: Exception) -> None:
        if isinstance(error, RefusedRowsError):
            if len(self._refused) > MAX_REFUSED:
                self._refused.clear()
            self._refused.update(error.sequences)
        elif isinstance(error, StaleBatchError):
            self._metrics.stale.labels(self._stream).inc()
        elif isinstance(error, InsertRejectedError):
            self._metrics.failed.labels(self._stream).inc()
            self._limits = shrunk(self._limits)
        logger.warning(
            "session ended",
            extra={"action": "session_ended", "stream": self._stream, "reason": str(error)},
        )

    def _note_gap(self, history: HistoryState, state: StreamState) -> None:
        """Say aloud what left the stream before it was in history; nothing can bring it back."""
        missing = state.first_sequence - history.head.sequence - 1
        if missing <= 0 or not history.head.sequence:
            return
        self._metrics.lost.labels(self._stream).inc(missing)
        logger.error(
            "sequences left the stream before they were in history",
            extra={
                "action": "expired_before_ingest",
                "stream": self._stream,
                "after": history.head.sequence,
                "until": state.first_sequence,
            },
        )

    def _lag(self) -> Lag:
        """Return what is known: live while messages flow, otherwise what the last look showed."""
        feed, pipeline = self._feed, self._pipeline
        position = feed.position() if feed is not None else None
        if position is None or pipeline is None or not self._stored_ns:
            return self._seen_lag
        events = position.pending + pipeline.waiting
        age = (time.time_ns() - self._stored_ns) / _NANOSECONDS
        return Lag(events=events, seconds=max(age, 0.0) if events else 0.0)

    async def _watch(self) -> None:
        """Look at what is not in history yet and what the stream keeps, whatever happens."""
        while True:
            if self._sequence is not None:
                # The session says that the bus is away; the last look stays the best knowledge.
                with suppress(BusError):
                    await self._look(self._sequence)
            await asyncio.sleep(WATCH_SECONDS)

    async def _look(self, sequence: int) -> None:
        async with open_wire(self._config.wire) as wire:
            state = await stream_state(wire, self._stream)
            oldest = await first_message(wire, self._stream, sequence + 1)
        check_reaches(state, sequence)
        if oldest is None:
            self._seen_lag = Lag()
        else:
            age = (datetime.now(UTC) - oldest.stored_at).total_seconds()
            self._seen_lag = Lag(events=state.last_sequence - oldest.sequence + 1, seconds=age)
        ratio = limit_ratio(state, self._seen_lag)
        self._metrics.limit_ratio.labels(self._stream).set(ratio)
        if ratio > ALARM_RATIO:
            logger.error(
                "events could leave the stream before they are in history",
                extra={
                    "action": "near_limits",
                    "stream": self._stream,
                    "events": self._seen_lag.events,
                    "oldest_seconds": self._seen_lag.seconds,
                },
            )


def limit_ratio(state: StreamState, lag: Lag) -> float:
    """Return how near the oldest message not in history is to a limit of its stream; 1 is there."""
    by_age = lag.seconds / state.max_age_seconds if state.max_age_seconds else 0.0
    if state.max_bytes <= 0 or not state.messages:
        return by_age
    waiting_bytes = state.bytes * min(lag.events / state.messages, 1.0)
    return max(by_age, waiting_bytes / state.max_bytes)


def shrunk(limits: BatchLimits) -> BatchLimits:
    """Return limits for a smaller batch; ClickHouse may have refused this one for its size."""
    return replace(
        limits,
        max_rows=max(1, limits.max_rows // 2),
        max_bytes=max(1, limits.max_bytes // 2),
    )
