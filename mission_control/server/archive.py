"""History as the dashboard reads it: as a reader, opened when it is asked for first.

The process starts beside history, not after it: what is asked before history answers is refused
as not available yet, and asked again by who wants it.
"""

import asyncio
import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import cached_property
from typing import Any

from clickhouse_connect import common

from cortex.cli.kept_content import HistoryContents
from cortex.cli.result_rows import OUTPUT_FORMAT, OUTPUT_SETTINGS, read_result
from cortex.engine.past import Past
from infrastructure.history.blobs import Blobs
from infrastructure.history.client import AsyncHistory, HistoryClient, open_history
from infrastructure.history.config import HistoryConfig
from mission_control.server.query_text import Order, query_text

ROW_FORMAT = "JSONEachRow"


class Archive:
    """Reads history; usable from several threads, until it is closed."""

    def __init__(self, config: HistoryConfig) -> None:
        self._config = config
        self._opened = ExitStack()
        self._opening = threading.Lock()
        self._known: HistoryClient | None = None

    @property
    def client(self) -> HistoryClient:
        """The client of history.

        Raises:
            HistoryUnavailableError: nothing answers there yet.
        """
        with self._opening:
            if self._known is None:
                # For a reader every setting looks read-only to the driver; the server decides.
                common.set_setting("invalid_setting_action", "send")
                self._known = self._opened.enter_context(open_history(self._config))
            return self._known

    @cached_property
    def contents(self) -> HistoryContents:
        """Contents that history has. What is still on the bus is there a moment later."""
        return HistoryContents(self.client)

    @cached_property
    def blobs(self) -> Blobs:
        """The same, for callers that block."""
        return Blobs(self.client)

    @cached_property
    def past(self) -> Past:
        """What was, by the engine's own rules."""
        return Past(AsyncHistory(self.client), self.contents)

    def rows(
        self, name: str, /, *, order: Order = "asc", **parameters: Any
    ) -> list[dict[str, Any]]:
        """Return the rows of a query of ours; times are RFC 3339 with all nine digits.

        Raises:
            HistoryError: it cannot be asked.
        """
        raw = self.client.raw(
            query_text(name, order),
            parameters,
            output_format=OUTPUT_FORMAT,
            settings=OUTPUT_SETTINGS,
        )
        result = read_result(raw.splitlines())
        return [dict(zip(result.names, row, strict=True)) for row in result.rows]

    async def past_rows(self, name: str, /, **parameters: Any) -> Sequence[Mapping[str, Any]]:
        """Return the rows of a query of ours as the engine's own modules take them.

        Raises:
            HistoryError: it cannot be asked.
        """
        history = AsyncHistory(await asyncio.to_thread(lambda: self.client))
        return await history.query(query_text(name), parameters)

    def document(self, name: str, /, **parameters: Any) -> bytes:
        """Return the one row of a query of ours as the JSON object that the engine writes.

        Raises:
            HistoryError: it cannot be asked.
        """
        return self.client.raw(
            query_text(name), parameters, output_format=ROW_FORMAT, settings=OUTPUT_SETTINGS
        )

    def is_answering(self) -> bool:
        """Whether history answers.

        Raises:
            HistoryUnavailableError: it never did.
        """
        return self.client.ping()

    def close(self) -> None:
        """Release connections."""
        with self._opening:
            self._known = None
            self._opened.close()
