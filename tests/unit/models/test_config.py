"""Which model is chosen, and what is refused."""

import pytest

from cortex.models.config import ModelConfig
from nervous_system.errors import ConfigError

KEY = {"OPENAI_API_KEY": "sk-secret"}


def test_key_alone_makes_no_run_cost_money() -> None:
    assert ModelConfig.from_env(KEY).name == "offline"


def test_option_wins_over_the_environment() -> None:
    environment = {**KEY, "SWARM_MODEL": "offline"}
    assert ModelConfig.from_env(environment, model="openai:m").name == "openai:m"


def test_server_of_ones_own_needs_no_key() -> None:
    environment = {"OPENAI_BASE_URL": "http://127.0.0.1:1/v1"}
    assert ModelConfig.from_env(environment, model="openai:m").api_key == ""


@pytest.mark.parametrize(
    ("environment", "model", "words"),
    [
        (KEY, "gpt-5", "is 'gpt-5', expected `offline`"),
        (KEY, "openai:", "expected `offline`"),
        ({}, "openai:m", "OPENAI_API_KEY is ''"),
        ({}, "anthropic:m", "ANTHROPIC_API_KEY is ''"),
        ({"ANTHROPIC_BASE_URL": "http://h"}, "anthropic:m", "ANTHROPIC_API_KEY is ''"),
        ({**KEY, "OPENAI_BASE_URL": "u:p@host"}, "openai:m", "OPENAI_BASE_URL"),
        ({**KEY, "SWARM_MAX_TOKENS": "many"}, "openai:m", "SWARM_MAX_TOKENS"),
        ({**KEY, "SWARM_MAX_COST": "nan"}, "openai:m", "SWARM_MAX_COST"),
        ({**KEY, "SWARM_MODEL_PRICE": "1"}, "openai:m", "SWARM_MODEL_PRICE"),
        ({**KEY, "SWARM_MODEL_TIMEOUT": "0"}, "openai:m", "SWARM_MODEL_TIMEOUT"),
        ({"OPENAI_API_KEY": "sk-secrét"}, "openai:m", "not shown"),
    ],
)
def test_setting_that_cannot_be_used_is_one_line(
    environment: dict[str, str], model: str, words: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        ModelConfig.from_env(environment, model=model)
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)
    assert "sk-secr" not in str(raised.value)


def test_settings_are_read() -> None:
    environment = {
        **KEY,
        "SWARM_MODEL": "openai:m",
        "SWARM_MAX_TOKENS": "5000",
        "SWARM_MAX_COST": "2.50",
        "SWARM_MODEL_PRICE": "1.25, 10",
    }
    config = ModelConfig.from_env(environment)
    assert (config.budget.max_tokens, config.budget.max_cost_microusd) == (5000, 2_500_000)
    assert config.price is not None
    assert config.price.cost_microusd(1_000_000, 100_000) == 2_250_000


def test_key_is_not_shown() -> None:
    config = ModelConfig(name="openai:m", api_key="sk-secret")
    assert "sk-secret" not in repr(config)
