"""An agent's context window, kept on the bus, so that the agent has it after a restart.

One key for each run and agent, written by compare-and-set. A bus that is away or refuses costs the
notes of this process nothing: they stay here, and are written with the next one.
"""

import asyncio
import logging

from cortex.memory.short_term import (
    DEFAULT_BUDGET_TOKENS,
    RELEVANCE,
    Note,
    Window,
    parse_window,
)
from nervous_system.comms.connection import redact_url
from nervous_system.comms.keyvalue import KeyValueBucket, open_key_value
from nervous_system.comms.streams import MEMORY_BUCKET, MEMORY_KEPT_FOR
from nervous_system.errors import SwarmError, WrongRevisionError
from nervous_system.subjects import escape_token
from nervous_system.swarm import Swarm

SECONDS = 1.0
"""How long the bus may take to answer for one note."""
ATTEMPTS = 5
_log = logging.getLogger(__name__)


def notebook_key(run_id: str, agent_id: str) -> str:
    """Return the key of an agent's window; keys of a bucket may not hold `%`."""
    return ".".join(escape_token(part).replace("%", "=") for part in (run_id, agent_id))


class Notebook:
    """The window of one agent in one run. Made by `open_notebook`."""

    def __init__(self, bucket: KeyValueBucket | None, key: str, budget_tokens: int) -> None:
        self._bucket = bucket
        self._key = key
        self._window = Window(budget_tokens=budget_tokens)
        self._revision = 0

    @property
    def window(self) -> Window:
        """As of now."""
        return self._window

    async def note(self, topic: str, kind: str, text: str, memory_id: str = "") -> None:
        """Keep something in mind; what the bus does not take stays in this process."""
        relevance = RELEVANCE.get(kind, 1.0)
        self._window = self._window.add(
            Note(topic=topic, kind=kind, text=text, memory_id=memory_id, relevance=relevance)
        )
        if self._bucket is None:
            return
        try:
            async with asyncio.timeout(SECONDS):
                await self._write(self._bucket)
        except (SwarmError, TimeoutError) as error:
            _not_kept(self._key, error)

    async def load(self) -> None:
        """Take up what an earlier life of the agent has noted.

        Raises:
            BusUnavailableError: the bus is away.
        """
        found = None if self._bucket is None else await self._bucket.get(self._key)
        if found is None:
            self._revision = 0
            return
        self._revision = found.revision
        try:
            there = parse_window(found.value or b"[]", self._window.budget_tokens)
        except ValueError as error:
            _not_kept(self._key, error)
            return
        for note in self._window.notes:
            there = there.add(note)
        self._window = there

    async def _write(self, bucket: KeyValueBucket) -> None:
        for attempt in range(1, ATTEMPTS + 1):
            content = self._window.as_bytes()
            try:
                self._revision = await bucket.compare_and_set(self._key, content, self._revision)
                return
            except WrongRevisionError:
                if attempt == ATTEMPTS:
                    raise
                await self.load()


async def open_notebook(
    swarm: Swarm, run_id: str, agent_id: str, *, budget_tokens: int = DEFAULT_BUDGET_TOKENS
) -> Notebook:
    """Open the window of an agent in a run, with what an earlier life has noted.

    Where the bus does not give it in time the notes live as long as this process does; a record of
    the log says so.
    """
    key = notebook_key(run_id, agent_id)
    servers = redact_url(swarm.config.bus.url)
    try:
        async with asyncio.timeout(SECONDS):
            bucket = await open_key_value(
                swarm.bus.js, MEMORY_BUCKET, servers=servers, expire_after=MEMORY_KEPT_FOR
            )
            notebook = Notebook(bucket, key, budget_tokens)
            await notebook.load()
    except (SwarmError, TimeoutError) as error:
        _not_kept(key, error)
        return Notebook(None, key, budget_tokens)
    return notebook


def _not_kept(key: str, error: Exception) -> None:
    _log.warning(
        "notes of an agent are not kept on the bus",
        extra={"action": "notes_not_kept", "key": key, "reason": str(error) or "no answer"},
    )
