"""Makes vectors of texts: any endpoint that speaks OpenAI's protocol, or a model on this machine.

Their libraries are imported only when such a model is chosen.
"""

import asyncio
import importlib
import importlib.util
import math
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from cortex.errors import ModelAnswerError, ModelError, ModelRejectedError, ModelUnavailableError
from cortex.memory.config import LOCAL, MemoryConfig
from cortex.memory.vector_store import EmbeddingModel
from cortex.models.calls import CallListener, CallOutcome, ModelCall
from cortex.models.choose import ignore_call
from nervous_system.errors import ConfigError

MAX_DIMENSION = 16_384
_NO_KEY = "no-key"
"""What a server without keys is sent: its clients insist on one."""


@asynccontextmanager
async def open_embedding(
    config: MemoryConfig, listener: CallListener = ignore_call
) -> AsyncIterator[EmbeddingModel | None]:
    """Open the embedding model of a configuration; None where none is chosen.

    Args:
        config: which model, and where.
        listener: awaited for every request to an endpoint.

    Raises:
        ConfigError: its library is missing, or there is no such local model.
    """
    if not config.model:
        yield None
    elif config.provider == LOCAL:
        _need("sentence_transformers", config.model, "pip install sentence-transformers")
        yield await asyncio.to_thread(_load_local, config)
    else:
        _need("pydantic_ai", config.model, "pip install 'enchanted-swarm[agents]'")
        async with _open_endpoint(config, listener) as model:
            yield model


class EndpointEmbedding:
    """A model behind OpenAI's `/embeddings`."""

    def __init__(self, config: MemoryConfig, library_model: Any, listener: CallListener) -> None:
        self.name = config.model
        self._model = library_model
        self._listener = listener
        self._timeout = config.timeout

    async def embed(
        self, texts: Sequence[str], *, is_question: bool = False
    ) -> list[Sequence[float]]:
        """Return a vector of length 1 for each text; raises as the port says."""
        from cortex.models.failures import explain_failure

        started = time.monotonic()
        try:
            async with asyncio.timeout(self._timeout.total_seconds()):
                kind = "query" if is_question else "document"
                answer = await self._model.embed(list(texts), input_type=kind)
                vectors = checked(self.name, answer.embeddings, len(texts))
        except ModelError:
            await self._tell(started, CallOutcome.MALFORMED, 0)
            raise
        except Exception as error:
            failure = explain_failure(error)
            await self._tell(started, failure.outcome, 0)
            raise _error(self.name, failure.outcome, failure.reason) from error
        await self._tell(started, CallOutcome.OK, answer.usage.input_tokens)
        return vectors

    async def _tell(self, started: float, outcome: CallOutcome, tokens: int) -> None:
        await self._listener(
            ModelCall(
                model_name=self.name,
                input_tokens=tokens,
                output_tokens=0,
                cost_microusd=None,
                duration=timedelta(seconds=time.monotonic() - started),
                outcome=outcome,
            )
        )


class LocalEmbedding:
    """A sentence-transformers model in this process; it sends nothing anywhere."""

    def __init__(self, name: str, library_model: Any) -> None:
        self.name = name
        self._model = library_model

    async def embed(
        self, texts: Sequence[str], *, is_question: bool = False
    ) -> list[Sequence[float]]:
        """Return a vector of length 1 for each text; raises as the port says."""
        del is_question
        found = await asyncio.to_thread(self._model.encode, list(texts))
        return checked(self.name, [[float(number) for number in one] for one in found], len(texts))


def checked(model: str, vectors: Sequence[Sequence[float]], count: int) -> list[Sequence[float]]:
    """Return vectors brought to length 1.

    Raises:
        ModelAnswerError: not one for each text, of different dimensions, or not numbers with a
            direction.
    """
    lengths = {len(vector) for vector in vectors}
    if len(vectors) != count or len(lengths) > 1 or not 0 < max(lengths, default=1) < MAX_DIMENSION:
        said = f"{len(vectors)} vectors for {count} texts"
        raise ModelAnswerError(model=model, reason=f"{said}, of dimensions {sorted(lengths)[:5]}")
    return [_unit(model, vector) for vector in vectors]


def _unit(model: str, vector: Sequence[float]) -> list[float]:
    length = math.hypot(*vector)
    if not math.isfinite(length) or length == 0:
        raise ModelAnswerError(model=model, reason="a vector without a direction")
    return [number / length for number in vector]


@asynccontextmanager
async def _open_endpoint(
    config: MemoryConfig, listener: CallListener
) -> AsyncIterator[EndpointEmbedding]:
    from httpx2 import AsyncClient
    from openai import AsyncOpenAI
    from pydantic_ai.embeddings.openai import OpenAIEmbeddingModel
    from pydantic_ai.providers.openai import OpenAIProvider

    seconds = config.timeout.total_seconds()
    async with AsyncClient(timeout=seconds, follow_redirects=False) as client:
        # No retries: a question has no time for them, and the next pass makes what is missing.
        openai = AsyncOpenAI(
            base_url=config.base_url or "https://api.openai.com/v1",
            api_key=config.api_key or _NO_KEY,
            http_client=client,
            max_retries=0,
        )
        provider = OpenAIProvider(openai_client=openai)
        yield EndpointEmbedding(
            config, OpenAIEmbeddingModel(config.model_name, provider=provider), listener
        )


def _load_local(config: MemoryConfig) -> LocalEmbedding:
    library = importlib.import_module("sentence_transformers")
    try:
        return LocalEmbedding(config.model, library.SentenceTransformer(config.model_name))
    except (OSError, ValueError) as error:
        raise ConfigError(
            variable="SWARM_EMBEDDING_MODEL",
            given=config.model,
            expected="a sentence-transformers model that is here or can be fetched",
            fix="name its directory, as local:./models/all-MiniLM-L6-v2",
        ) from error


def _error(model: str, outcome: CallOutcome, reason: str) -> ModelError:
    if outcome is CallOutcome.REJECTED:
        return ModelRejectedError(model=model, reason=reason)
    if outcome is CallOutcome.MALFORMED:
        return ModelAnswerError(model=model, reason=reason)
    return ModelUnavailableError(model=model, reason=reason)


def _need(module: str, model: str, fix: str) -> None:
    if importlib.util.find_spec(module) is None:
        raise ConfigError(
            variable="SWARM_EMBEDDING_MODEL",
            given=model,
            expected=f"a library that is not installed ({module})",
            fix=fix,
        )
