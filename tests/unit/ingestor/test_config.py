import pytest

from infrastructure.ingestor.config import IngestorConfig
from nervous_system.errors import ConfigError

DSN = {"SWARM_CLICKHOUSE_DSN": "http://w:secret@127.0.0.1:8123/swarm"}


def test_settings_come_from_the_environment() -> None:
    config = IngestorConfig.from_env(
        {
            **DSN,
            "SWARM_NATS_URL": "nats://ingestor:pw@127.0.0.1:4333",
            "SWARM_INGESTOR_STREAMS": "A, B",
            "SWARM_INGESTOR_PORT": "0",
        }
    )
    assert config.streams == ("A", "B")
    assert config.port == 0
    assert config.wire.public_url == "nats://127.0.0.1:4333"


def test_passwords_do_not_show() -> None:
    config = IngestorConfig.from_env({**DSN, "SWARM_NATS_URL": "nats://ingestor:pw@127.0.0.1"})
    assert "pw" not in repr(config)
    assert "secret" not in repr(config)


@pytest.mark.parametrize(
    ("variable", "given"),
    [("SWARM_INGESTOR_PORT", "x"), ("SWARM_INGESTOR_BYTES", "1"), ("SWARM_INGESTOR_ROWS", "0")],
)
def test_a_setting_that_cannot_be_used_is_named(variable: str, given: str) -> None:
    with pytest.raises(ConfigError, match=variable):
        IngestorConfig.from_env({**DSN, variable: given})
