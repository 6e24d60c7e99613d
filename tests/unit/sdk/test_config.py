import json
from pathlib import Path

import pytest

from nervous_system.config import (
    BusConfig,
    SpanExport,
    SpoolConfig,
    SpoolPolicy,
    SwarmConfig,
)
from nervous_system.errors import ConfigError

URL = "nats://agent:secret@127.0.0.1:4222"


def write_stack(home: Path, **stack: str) -> None:
    home.mkdir()
    (home / "stack.json").write_text(json.dumps(stack), encoding="utf-8")


def test_environment_says_where_the_bus_is(tmp_path: Path) -> None:
    config = SwarmConfig.from_env({"SWARM_NATS_URL": URL}, tmp_path)
    assert config.bus.url == URL


def test_running_stack_of_the_nearest_home_says_where_the_bus_is(tmp_path: Path) -> None:
    write_stack(tmp_path / ".swarm", nats_url="nats://op@h:1", agent_nats_url="nats://agent@h:1")
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    assert SwarmConfig.from_env({}, inner).bus.url == "nats://agent@h:1"


def test_a_stack_that_is_down_still_says_where_it_will_be(tmp_path: Path) -> None:
    home = tmp_path / ".swarm"
    home.mkdir()
    (home / "swarm.json").write_text(json.dumps({"ports": {"nats": 4555}}), encoding="utf-8")
    (home / "credentials.json").write_text(json.dumps({"agent": "pw"}), encoding="utf-8")
    assert SwarmConfig.from_env({}, tmp_path).bus.url == "nats://agent:pw@127.0.0.1:4555"


def test_environment_comes_before_the_stack(tmp_path: Path) -> None:
    write_stack(tmp_path / ".swarm", agent_nats_url="nats://agent@h:1")
    assert SwarmConfig.from_env({"SWARM_NATS_URL": URL}, tmp_path).bus.url == URL


def test_given_url_comes_before_the_environment(tmp_path: Path) -> None:
    config = SwarmConfig.from_env({"SWARM_NATS_URL": URL}, tmp_path, url="nats://other:1")
    assert config.bus.url == "nats://other:1"


def test_without_any_bus_the_error_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="swarm up"):
        SwarmConfig.from_env({}, tmp_path)


def test_password_is_neither_in_the_repr_nor_in_the_error() -> None:
    assert "secret" not in repr(BusConfig(url=URL))
    with pytest.raises(ConfigError) as caught:
        BusConfig(url="http://agent:secret@127.0.0.1")
    assert "secret" not in str(caught.value)


def test_names_and_spool_come_from_the_environment(tmp_path: Path) -> None:
    config = SwarmConfig.from_env(
        {
            "SWARM_NATS_URL": URL,
            "SWARM_AGENT": "coder-7",
            "SWARM_RUN": "r9",
            "SWARM_SPOOL_BYTES": "2000000",
            "SWARM_SPOOL_POLICY": "refuse",
            "TRACEPARENT": "00-" + "1" * 32 + "-" + "2" * 16 + "-01",
        },
        tmp_path,
    )
    assert (config.agent_id, config.run_id) == ("coder-7", "r9")
    assert config.bus.spool is not None
    assert (config.bus.spool.max_bytes, config.bus.spool.policy) == (2_000_000, SpoolPolicy.REFUSE)
    assert config.carrier["TRACEPARENT"].startswith("00-1")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SWARM_SPOOL_BYTES", "many"),
        ("SWARM_SPOOL_BYTES", "12"),
        ("SWARM_SPOOL_POLICY", "panic"),
        ("OTEL_TRACES_EXPORTER", "zipkin"),
    ],
)
def test_setting_that_cannot_be_used_is_named(tmp_path: Path, variable: str, value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        SwarmConfig.from_env({"SWARM_NATS_URL": URL, variable: value}, tmp_path)
    assert caught.value.variable == variable


def test_disabled_sdk_exports_no_spans(tmp_path: Path) -> None:
    config = SwarmConfig.from_env({"SWARM_NATS_URL": URL, "OTEL_SDK_DISABLED": "true"}, tmp_path)
    assert config.telemetry.export is SpanExport.NONE


def test_stack_takes_spans_where_nothing_else_is_set(tmp_path: Path) -> None:
    write_stack(tmp_path / ".swarm", agent_nats_url=URL, otlp_url="http://127.0.0.1:4318")
    assert SwarmConfig.from_env({}, tmp_path).telemetry.stack_url == "http://127.0.0.1:4318"


def test_spool_of_a_few_bytes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        SpoolConfig(directory=tmp_path, max_bytes=10)
