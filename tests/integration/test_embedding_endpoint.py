"""Embedding models over real sockets, against a local server that speaks OpenAI's protocol."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from cortex.errors import (
    ModelAnswerError,
    ModelError,
    ModelRejectedError,
    ModelUnavailableError,
)
from cortex.memory.config import MemoryConfig
from cortex.memory.embedding import open_embedding
from cortex.memory.vector_store import EmbeddingModel
from cortex.models.calls import CallOutcome, ModelCall
from tests.support.openai_server import (
    OpenAIServer,
    Reply,
    embeddings,
    failure,
    malformed,
    running_openai_server,
    silent,
)

KEY = "sk-test-0123456789abcdef"


class Talk:
    """A model, the server that it talks to, and the calls that it reported."""

    def __init__(self, model: EmbeddingModel, server: OpenAIServer, calls: list[ModelCall]) -> None:
        self.model = model
        self.server = server
        self.calls = calls


@asynccontextmanager
async def talking(replies: Sequence[Reply]) -> AsyncIterator[Talk]:
    calls: list[ModelCall] = []

    async def listen(call: ModelCall) -> None:
        calls.append(call)

    async with running_openai_server(replies) as server:
        config = MemoryConfig(
            model="openai:small",
            api_key=KEY,
            base_url=server.url,
            timeout=timedelta(seconds=0.5),
        )
        async with open_embedding(config, listen) as model:
            assert model is not None
            yield Talk(model, server, calls)


async def test_texts_become_vectors_and_the_call_is_reported() -> None:
    async with talking([embeddings([[0.0, 2.0], [3.0, 4.0]])]) as talk:
        assert await talk.model.embed(["a", "b"]) == [[0.0, 1.0], [0.6, 0.8]]
    assert talk.server.requests[0]["input"] == ["a", "b"]
    assert talk.server.requests[0]["model"] == "small"
    assert talk.server.authorizations == [f"Bearer {KEY}"]
    (call,) = talk.calls
    assert (call.model_name, call.input_tokens, call.outcome) == ("openai:small", 7, CallOutcome.OK)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (failure(401), ModelRejectedError),
        (failure(404), ModelRejectedError),
        (failure(500), ModelUnavailableError),
        (failure(429, retry_after="30"), ModelUnavailableError),
        (silent(), ModelUnavailableError),
        (malformed(), ModelAnswerError),
        (malformed(b'{"data": [{"embedding": "x"}]}'), ModelAnswerError),
        (malformed(b"{}"), ModelAnswerError),
        (embeddings([[1.0]]), ModelAnswerError),
    ],
)
async def test_what_is_no_answer_is_an_error_of_its_kind(
    reply: Reply, expected: type[ModelError]
) -> None:
    async with talking([reply]) as talk:
        with pytest.raises(expected) as raised:
            await talk.model.embed(["a", "b"])
    assert KEY not in str(raised.value)
    assert talk.calls[-1].outcome is not CallOutcome.OK


async def test_server_that_is_gone_is_not_available() -> None:
    async with talking([silent()]) as talk:
        pass
    config = MemoryConfig(model="openai:small", base_url=talk.server.url)
    async with open_embedding(config) as model:
        assert model is not None
        with pytest.raises(ModelUnavailableError):
            await model.embed(["a"])
