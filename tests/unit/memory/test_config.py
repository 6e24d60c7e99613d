"""Which embedding model the environment chooses."""

import pytest

from cortex.memory.config import MemoryConfig
from nervous_system.errors import ConfigError

KEY = {"OPENAI_API_KEY": "sk-secret"}


def test_key_alone_chooses_no_model() -> None:
    assert MemoryConfig.from_env(KEY).model == ""


def test_named_model_is_taken_with_its_key() -> None:
    config = MemoryConfig.from_env({**KEY, "SWARM_EMBEDDING_MODEL": " openai:small "})
    assert (config.provider, config.model_name, config.api_key) == ("openai", "small", "sk-secret")
    assert "sk-secret" not in repr(config)


def test_local_model_needs_no_key() -> None:
    assert MemoryConfig.from_env({"SWARM_EMBEDDING_MODEL": "local:minilm"}).provider == "local"


def test_server_of_ones_own_needs_no_key() -> None:
    environment = {"SWARM_EMBEDDING_MODEL": "openai:m", "OPENAI_BASE_URL": "http://127.0.0.1:1/v1"}
    assert MemoryConfig.from_env(environment).base_url == "http://127.0.0.1:1/v1"


@pytest.mark.parametrize(
    "environment",
    [
        {"SWARM_EMBEDDING_MODEL": "openai:small"},
        {"SWARM_EMBEDDING_MODEL": "small", **KEY},
        {"SWARM_EMBEDDING_MODEL": "openai:", **KEY},
        {"SWARM_EMBEDDING_MODEL": "openai:m", "OPENAI_BASE_URL": "127.0.0.1", **KEY},
        {"SWARM_EMBEDDING_MODEL": "openai:m", "OPENAI_API_KEY": "sk-secret\nx"},
    ],
)
def test_what_cannot_be_used_is_refused_without_the_key(environment: dict[str, str]) -> None:
    with pytest.raises(ConfigError) as refused:
        MemoryConfig.from_env(environment)
    assert "sk-secret" not in str(refused.value)
