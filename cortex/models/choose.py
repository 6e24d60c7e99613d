"""Makes the model that a run works with.

The model library is imported only when a language model is chosen: the offline model works without
the extra `agents`, as far as ruff is there.
"""

import importlib.util
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cortex.models.budget import Spending
from cortex.models.calls import CallListener, ModelCall
from cortex.models.config import ModelConfig
from cortex.models.offline import OFFLINE, OfflineModel
from cortex.models.port import Model
from nervous_system.errors import ConfigError


async def ignore_call(call: ModelCall) -> None:
    """A listener that reports nothing."""
    del call


@asynccontextmanager
async def open_model(
    config: ModelConfig,
    *,
    listener: CallListener = ignore_call,
    spent: Spending | None = None,
) -> AsyncIterator[Model]:
    """Open the model of a configuration.

    Args:
        config: which model, where, and under which budget.
        listener: awaited for every request to a language model.
        spent: what the run has spent already, when it goes on after a stop.

    Raises:
        ConfigError: the model library is missing, or a money limit cannot be kept.
    """
    if config.name == OFFLINE:
        _need("ruff", "the offline model")
        yield OfflineModel()
        return
    _need("pydantic_ai", f"the model {config.name}")
    from cortex.models.providers import open_language_model

    async with open_language_model(config, listener=listener, spent=spent) as model:
        yield model


def _need(module: str, what_for: str) -> None:
    if importlib.util.find_spec(module) is None:
        raise ConfigError(
            variable="--model or SWARM_MODEL",
            given=what_for,
            expected="the extra `agents`, which is not installed",
            fix="pip install 'enchanted-swarm[agents]'",
        )
