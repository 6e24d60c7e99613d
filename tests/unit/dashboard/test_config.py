import pytest

from mission_control.server.config import DashboardConfig
from mission_control.server.headers import page_policy
from nervous_system.errors import ConfigError

USUAL = {
    "SWARM_CLICKHOUSE_DSN": "http://reader:secret-one@127.0.0.1:8123/swarm",
    "SWARM_DASHBOARD_TOKEN": "secret-two-secret-two",
    "SWARM_NATS_URL": "nats://dashboard:secret%2Fthree@127.0.0.1:4222",
    "SWARM_DASHBOARD_WS_URL": "ws://127.0.0.1:9222",
}


def config_of(**changed: str) -> DashboardConfig:
    return DashboardConfig.from_env({**USUAL, **changed})


def test_loopback_is_the_default_and_secrets_stay_out_of_repr() -> None:
    config = config_of()
    assert (config.host, config.port) == ("127.0.0.1", 8321)
    assert "secret" not in repr(config)


def test_browser_is_given_the_user_of_the_dashboard() -> None:
    access = config_of().bus_access
    assert access is not None
    assert (access["user"], access["password"]) == ("dashboard", "secret/three")
    assert access["inbox_prefix"] == "_INBOX_dashboard"
    assert config_of(SWARM_DASHBOARD_WS_URL="").bus_access is None
    assert config_of(SWARM_NATS_URL="nats://127.0.0.1:4222").bus_access is None


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "swarm.example.org"])
def test_wider_address_asks_for_tls_or_a_word(host: str) -> None:
    with pytest.raises(ConfigError, match="TLS"):
        config_of(SWARM_DASHBOARD_HOST=host)
    assert config_of(SWARM_DASHBOARD_HOST=host, SWARM_DASHBOARD_INSECURE="1").host == host
    tls = {"SWARM_DASHBOARD_TLS_CERT": "c.pem", "SWARM_DASHBOARD_TLS_KEY": "k.pem"}
    assert config_of(SWARM_DASHBOARD_HOST=host, **tls).has_tls


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SWARM_DASHBOARD_TOKEN", ""),
        ("SWARM_DASHBOARD_TOKEN", "short"),
        ("SWARM_DASHBOARD_PORT", "65536"),
        ("SWARM_DASHBOARD_PORT", "-1"),
        ("SWARM_DASHBOARD_PORT", "many"),
        ("SWARM_DASHBOARD_TLS_CERT", "c.pem"),
        ("SWARM_DASHBOARD_WS_URL", "http://127.0.0.1"),
        ("SWARM_DASHBOARD_WS_URL", "ws://a b; script-src *"),
        ("SWARM_DASHBOARD_WS_URL", "ws://host:port"),
        ("SWARM_JAEGER_URL", "javascript:alert(1)"),
        ("SWARM_DASHBOARD_ORIGINS", "swarm.example.org"),
        ("SWARM_DASHBOARD_ORIGINS", "https://swarm.example.org/path"),
        ("SWARM_CLICKHOUSE_DSN", ""),
    ],
)
def test_setting_that_cannot_be_used_is_refused_by_name(variable: str, value: str) -> None:
    with pytest.raises(ConfigError) as refused:
        config_of(**{variable: value})
    assert refused.value.variable.partition("_TLS")[0] == variable.partition("_TLS")[0]


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("ws://127.0.0.1:9222/path?x=1", "ws://127.0.0.1:9222"),
        ("wss://swarm.example.org", "wss://swarm.example.org:443"),
        ("ws://[::1]:9222", "ws://[::1]:9222"),
        ("", ""),
    ],
)
def test_policy_names_the_websocket_and_nothing_of_its_path(url: str, origin: str) -> None:
    config = config_of(SWARM_DASHBOARD_WS_URL=url)
    assert config.socket_origin == origin
    expected = f"connect-src 'self' {origin}".strip()
    assert f"{expected};" in page_policy(origin)
