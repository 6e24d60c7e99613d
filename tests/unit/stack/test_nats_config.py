from pathlib import Path

import pytest

from infrastructure.stack.nats_config import NatsServerConfig, render
from infrastructure.stack.permissions import USER_NAMES, NatsUser, swarm_users
from nervous_system.errors import ConfigError


def test_every_write_is_synced_before_its_ack() -> None:
    assert "sync_interval: always" in render(NatsServerConfig(store=Path("/s")))


def test_server_listens_on_loopback_unless_told_otherwise() -> None:
    text = render(NatsServerConfig(store=Path("/s"), websocket_port=1, monitor_port=2))
    assert text.count('"127.0.0.1') == 3


def test_agents_are_bound_to_their_tokens() -> None:
    passwords = dict.fromkeys((*USER_NAMES, "team"), "p")
    users = {u.name: u for u in swarm_users(passwords, {"agent": ["a"], "team": ["b", "%42"]})}
    events = {
        name: [subject for subject in users[name].publish if subject.startswith("swarm.events")]
        for name in ("agent", "team")
    }
    assert events == {
        "agent": ["swarm.events.*.*.a"],
        "team": ["swarm.events.*.*.b", "swarm.events.*.*.%42"],
    }


def test_wider_address_is_refused() -> None:
    for host in ("0.0.0.0", "::", "192.0.2.1", "example.org"):
        with pytest.raises(ConfigError, match="loopback"):
            NatsServerConfig(store=Path("/s"), host=host)
    for host in ("127.0.0.1", "127.1.2.3", "::1", "localhost"):
        assert NatsServerConfig(store=Path("/s"), host=host).host == host


def test_user_without_subjects_is_denied_everything() -> None:
    user = NatsUser(name="u", password="p", publish=(), subscribe=())
    assert render(NatsServerConfig(store=Path("/s"), users=(user,))).count('deny: [">"]') == 2


def test_quotes_in_values_cannot_end_a_string() -> None:
    text = render(NatsServerConfig(store=Path('/a"b'), server_name='x"y'))
    assert r'"/a\"b"' in text
    assert r'"x\"y"' in text


def test_passwords_do_not_show_in_repr() -> None:
    assert "secret" not in repr(swarm_users(dict.fromkeys(USER_NAMES, "secret")))
