"""Settings of the agents of a run; the only module here that looks at the environment."""

import os
from collections.abc import Mapping

from cortex.engine.job import Job
from cortex.models.config import ModelConfig


def model_config(job: Job, environment: Mapping[str, str] = os.environ) -> ModelConfig:
    """Return the model that a run was asked for, with this machine's keys.

    Raises:
        ConfigError: a key is missing here, or a setting cannot be used.
    """
    usd = job.budget.max_usd
    return ModelConfig.from_env(
        environment,
        model=job.model,
        max_tokens=job.budget.max_tokens,
        max_cost=None if usd is None else f"{usd:f}",
    )
