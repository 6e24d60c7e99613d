"""Vectors are checked before anything is compared by them."""

import importlib.util
import math
from collections.abc import Sequence

import pytest

from cortex.errors import ModelAnswerError
from cortex.memory.config import MemoryConfig
from cortex.memory.embedding import LocalEmbedding, checked, open_embedding
from nervous_system.errors import ConfigError


def test_vectors_are_brought_to_length_one() -> None:
    assert checked("m", [[3.0, 4.0], [0.0, -2.0]], 2) == [[0.6, 0.8], [0.0, -1.0]]


@pytest.mark.parametrize(
    ("vectors", "count"),
    [
        ([[1.0]], 2),
        ([[1.0], [1.0, 2.0]], 2),
        ([[]], 1),
        ([[0.0, 0.0]], 1),
        ([[math.nan, 1.0]], 1),
        ([[math.inf]], 1),
        ([[1.0] * 20_000], 1),
    ],
)
def test_what_has_no_direction_is_no_answer(vectors: list[Sequence[float]], count: int) -> None:
    with pytest.raises(ModelAnswerError):
        checked("m", vectors, count)


async def test_no_model_is_opened_where_none_is_chosen() -> None:
    async with open_embedding(MemoryConfig()) as model:
        assert model is None


@pytest.mark.skipif(
    importlib.util.find_spec("sentence_transformers") is not None, reason="it is installed"
)
async def test_missing_library_is_named() -> None:
    with pytest.raises(ConfigError, match="pip install sentence-transformers"):
        async with open_embedding(MemoryConfig(model="local:minilm")):
            pass


class Library:
    """Answers as a SentenceTransformer does, in rows of numbers."""

    def encode(self, texts: list[str]) -> list[tuple[float, float]]:
        return [(float(len(text)), 0.0) for text in texts]


async def test_local_model_gives_a_vector_for_each_text() -> None:
    vectors = await LocalEmbedding("local:minilm", Library()).embed(["a", "bc"])
    assert vectors == [[1.0, 0.0], [1.0, 0.0]]
