"""Vectors of meaning: what keeps them, what makes them, and bringing the one up to the other.

Ports only: history keeps vectors (`infrastructure.history.memories`), models make them
(`cortex.memory.embedding`), and the command line joins them.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

AT_ONCE = 64
"""Texts of one request to a model."""
MAX_TEXT_CHARACTERS = 8_000
"""Of one text: embedding models take some 8,000 tokens."""
Row = Mapping[str, Any]


class EmbeddingModel(Protocol):
    """Makes vectors of texts."""

    @property
    def name(self) -> str:
        """As the user chose it; vectors of different names cannot be compared."""
        ...

    async def embed(
        self, texts: Sequence[str], *, is_question: bool = False
    ) -> list[Sequence[float]]:
        """Return a vector of each text.

        Raises:
            ModelUnavailableError: it does not answer now.
            ModelRejectedError: it refuses the request for good.
            ModelAnswerError: what it answers is no vector for each text.
        """
        ...


class VectorStore(Protocol):
    """Keeps the texts of earlier events and their vectors.

    A row names its event by `stream` and `sequence`. Raises SwarmError when it cannot be reached.
    """

    async def take_in(self) -> int:
        """Take in texts of new events, a part of them; return how many events are left."""
        ...

    async def missing(self, model: str, limit: int) -> Sequence[Row]:
        """Return rows of texts that have no vector of this model, the newest first."""
        ...

    async def add(
        self, model: str, rows: Sequence[Row], vectors: Sequence[Sequence[float]]
    ) -> None:
        """Keep the vectors of rows that `missing` gave."""
        ...

    async def extend_index(self, model: str) -> int:
        """Bring an index over the vectors on by one step; return how many are left."""
        ...

    async def nearest(
        self, model: str, vector: Sequence[float], *, excluded_run: str, run: str, limit: int
    ) -> Sequence[Row]:
        """Return rows of the vectors next to one, the nearest first."""
        ...


async def embed_missing(store: VectorStore, model: EmbeddingModel, limit: int) -> int:
    """Make vectors of at most `limit` texts that have none; return how many were made.

    Texts that are alike are sent once in a request.

    Raises:
        ModelError: the model does not do it.
        SwarmError: the store cannot be reached.
    """
    made = 0
    while made < limit:
        rows = await store.missing(model.name, min(AT_ONCE, limit - made))
        if not rows:
            break
        texts = [str(row["text"])[:MAX_TEXT_CHARACTERS] for row in rows]
        each = list(dict.fromkeys(texts))
        vectors = dict(zip(each, await model.embed(each), strict=True))
        await store.add(model.name, rows, [vectors[text] for text in texts])
        made += len(rows)
    return made
