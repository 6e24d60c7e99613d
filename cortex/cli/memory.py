"""Joins memory: history as this home's stack has it, and the embedding model that is chosen."""

import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from cortex.agents.site import say_call
from cortex.cli.places import open_reader, open_writer
from cortex.cli.session import Session
from cortex.memory.config import MemoryConfig
from cortex.memory.embedding import open_embedding
from cortex.memory.keeping import Keeper, open_keeper
from cortex.memory.long_term import LongTermMemory
from cortex.memory.retrieval import Mode, Retriever
from infrastructure.history.client import HistoryClient
from infrastructure.history.memories import AsyncMemories

READING = timedelta(seconds=2)
"""How long a question may take: whoever asked has gone on before that."""
KEEPING = timedelta(seconds=20)
"""How long one step of keeping may take; the end of a command waits for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedMemory:
    """Memory in its parts."""

    retriever: Retriever
    keeper: Keeper
    mode: Mode

    def describe(self) -> str:
        """How it is searched, in words."""
        model = self.retriever.model
        return self.mode.value if model is None else f"{self.mode}, with {model.name}"

    @property
    def long_term(self) -> LongTermMemory:
        """As agents have it."""
        return LongTermMemory(self.retriever, self.keeper)


@asynccontextmanager
async def open_memory(
    session: Session, reading: timedelta = READING
) -> AsyncIterator[OpenedMemory]:
    """Open memory; history is reached when it is asked, the embedding model is loaded here.

    Where a variable names history, its user may be a reader: then nothing is kept from here, and
    what is found is what others have taken in.

    Raises:
        ConfigError: the embedding model cannot be used.
    """
    config = MemoryConfig.from_env(session.environment)
    async with open_embedding(config, say_call) as model:
        with ExitStack() as stack:
            reader = stack.enter_context(_Later(lambda: open_reader(session, reading)))
            writer = stack.enter_context(_Later(lambda: open_writer(session, KEEPING)))
            memories = AsyncMemories(reader.client, writer.client)
            async with open_keeper(memories, model) as keeper:
                yield OpenedMemory(
                    retriever=Retriever(history=memories, vectors=memories, model=model),
                    keeper=keeper,
                    mode=Mode.FULL_TEXT if model is None else Mode.HYBRID,
                )


class _Later(AbstractContextManager["_Later"]):
    """A client that is opened when it is first asked for, in any thread; closed at the end."""

    def __init__(self, opening: Callable[[], AbstractContextManager[HistoryClient]]) -> None:
        self._opening = opening
        self._stack = ExitStack()
        self._lock = threading.Lock()
        self._client: HistoryClient | None = None

    def client(self) -> HistoryClient:
        """Return the client.

        Raises:
            StackDownError: no stack runs, and no variable names a history.
            HistoryUnavailableError: nothing answers there; the next call tries again.
        """
        with self._lock:
            if self._client is None:
                self._client = self._stack.enter_context(self._opening())
            return self._client

    def __exit__(self, *_: object) -> None:
        """Close what was opened."""
        with self._lock:
            self._stack.close()
