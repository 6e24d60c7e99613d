"""The configuration file of the embedded nats-server, written out for everybody to read and run.

Pure: settings in, text out. `sync_interval: always` is what makes an ack mean "on disk";
JetStream's default syncs up to two minutes after it has acknowledged.
"""

import ipaddress
import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from infrastructure.stack.permissions import USER_NAMES, NatsUser, swarm_users
from nervous_system.errors import ConfigError

MAX_PAYLOAD_BYTES = 8 * 1024 * 1024
RANDOM_PORT = -1
LOOPBACK = "127.0.0.1"
_CONTAINER_HEAD = """\
# Users of the bus in containers, one per duty. Made from infrastructure/stack/permissions.py by
#   python -m infrastructure.stack.nats_config > infrastructure/nats/users.conf"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NatsServerConfig:
    """What differs from one nats-server of ours to the next."""

    store: Path
    """Directory of JetStream's files."""
    server_name: str = "swarm"
    host: str = LOOPBACK
    port: int = RANDOM_PORT
    """Clients' port; -1 lets the server choose, see `ports_directory`."""
    websocket_port: int | None = None
    """Port for browsers; None opens none."""
    websocket_origins: tuple[str, ...] = ()
    """Origins whose pages may connect there; empty: any. Other programs than browsers name none."""
    monitor_port: int | None = None
    """Port of the server's own HTTP monitoring; None opens none."""
    ports_directory: Path | None = None
    """Where the server writes the ports that it listens on."""
    max_store_bytes: int | None = None
    """Cap of all streams together; None is the server's own choice."""
    users: tuple[NatsUser, ...] = ()
    """Empty: everybody may do everything."""

    def __post_init__(self) -> None:
        if not _is_loopback(self.host):
            raise ConfigError(
                variable="host",
                given=self.host,
                expected="a loopback address",
                fix="for a wider one write a configuration with TLS, from infrastructure/nats",
            )


def render(config: NatsServerConfig) -> str:
    """Return the text of `nats-server.conf`."""
    lines = [
        "# Written by `swarm up`; changes are overwritten.",
        f"server_name: {json.dumps(config.server_name)}",
        f"host: {json.dumps(config.host)}",
        f"port: {config.port}",
        f"max_payload: {MAX_PAYLOAD_BYTES}",
        "write_deadline: 10s",
        *_optional("ports_file_dir", config.ports_directory),
        *_monitor(config),
        *_jetstream(config),
        *_websocket(config),
        *_authorization(config.users),
    ]
    return "\n".join(lines) + "\n"


def render_container_users() -> str:
    """Return `infrastructure/nats/users.conf`: the same users, passwords from the environment."""
    users = swarm_users({name: container_password(name) for name in USER_NAMES})
    # a name in quotes would be the password itself
    lines = [
        line.replace(f'"{user.password}"', user.password) for user in users for line in _user(user)
    ]
    return "\n".join([_CONTAINER_HEAD, "users: [", *lines, "]"]) + "\n"


def container_password(user: str) -> str:
    """Return the variable that holds a user's password in containers, as NATS writes it."""
    return f"$SWARM_NATS_{user.upper()}_PASSWORD"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _optional(key: str, value: Path | int | None) -> list[str]:
    if value is None:
        return []
    return [f"{key}: {json.dumps(str(value)) if isinstance(value, Path) else value}"]


def _monitor(config: NatsServerConfig) -> list[str]:
    if config.monitor_port is None:
        return []
    return [f'http: "{config.host}:{config.monitor_port}"']


def _jetstream(config: NatsServerConfig) -> list[str]:
    return [
        "jetstream {",
        f"  store_dir: {json.dumps(str(config.store))}",
        *(f"  {line}" for line in _optional("max_file_store", config.max_store_bytes)),
        "  # an ack means: on disk",
        "  sync_interval: always",
        "}",
    ]


def _websocket(config: NatsServerConfig) -> list[str]:
    if config.websocket_port is None:
        return []
    return [
        "websocket {",
        f"  host: {json.dumps(config.host)}",
        f"  port: {config.websocket_port}",
        *_origins(config.websocket_origins),
        "  # loopback only; a wider address needs TLS in its place",
        "  no_tls: true",
        "}",
    ]


def _origins(origins: tuple[str, ...]) -> list[str]:
    if not origins:
        return []
    listed = ", ".join(json.dumps(origin) for origin in origins)
    return ["  # pages of other origins are refused", f"  allowed_origins: [{listed}]"]


def _authorization(users: Iterable[NatsUser]) -> list[str]:
    listed = list(users)
    if not listed:
        return []
    return [
        "authorization {",
        "  users: [",
        *(line for user in listed for line in _user(user)),
        "  ]",
        "}",
    ]


def _user(user: NatsUser) -> list[str]:
    return [
        "    {",
        f"      user: {json.dumps(user.name)}, password: {json.dumps(user.password)}",
        "      permissions: {",
        f"        publish: {{ {_rule(user.publish)} }}",
        f"        subscribe: {{ {_rule(user.subscribe)} }}",
        "      }",
        "    }",
    ]


def _rule(subjects: tuple[str, ...]) -> str:
    if not subjects:
        return 'deny: [">"]'
    return "allow: [" + ", ".join(json.dumps(subject) for subject in subjects) + "]"


if __name__ == "__main__":
    sys.stdout.write(render_container_users())
