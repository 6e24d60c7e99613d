"""Which ports a stack listens on: the usual ones where they are free, others where not.

The choice is kept in the home, so that a restarted stack is found where it was.
"""

import contextlib
import secrets
import socket
from collections.abc import Callable, Mapping

from nervous_system.errors import ConfigError

USUAL_PORTS: Mapping[str, int] = {
    "nats": 4222,
    "websocket": 9222,
    "monitor": 8222,
    "history": 8123,
    "otlp": 4318,
    "ingestor": 9464,
    "dashboard": 8321,
}
"""Name to the port that people expect: NATS clients, NATS for browsers, NATS monitoring, ClickHouse
over HTTP, OTLP over HTTP, health and metrics of the ingestor, the dashboard."""

HIGHEST_PORT = 65535
LOWEST_SPARE, SPARE_COUNT = 20_000, 10_000
"""Ports to take when the usual ones are not free: below those that systems give to connections."""


def choose_ports(
    *,
    given: Mapping[str, int],
    recorded: Mapping[str, int],
    is_free: Callable[[int], bool],
    any_free: Callable[[], int],
) -> dict[str, int]:
    """Return a port for each name: the given, else the recorded, else the usual, else a free one.

    Raises:
        ConfigError: a given name is unknown, or a given port is taken.
    """
    chosen: dict[str, int] = {}
    for name, port in given.items():
        if name not in USUAL_PORTS:
            raise _refused(f"{name}={port}", f"one of {', '.join(USUAL_PORTS)}")
        if port in chosen.values() or not is_free(port):
            raise _refused(f"{name}={port}", "a port that nothing listens on")
        chosen[name] = port
    for name, usual in USUAL_PORTS.items():
        taken = set(chosen.values())
        wishes = [recorded.get(name, usual), usual]
        port = next((wish for wish in wishes if wish not in taken and is_free(wish)), 0)
        chosen.setdefault(name, port or _unused(any_free, taken))
    return {name: chosen[name] for name in USUAL_PORTS}


def parse_ports(texts: list[str]) -> dict[str, int]:
    """Return what `--port NAME=NUMBER` says.

    Raises:
        ConfigError: one is not of that form.
    """
    ports: dict[str, int] = {}
    for text in texts:
        name, _, number = text.partition("=")
        if not number.isdigit() or not 0 < int(number) <= HIGHEST_PORT:
            raise _refused(text, f"NAME=NUMBER with a number from 1 to {HIGHEST_PORT}")
        ports[name] = int(number)
    return ports


def is_port_free(port: int, host: str = "127.0.0.1") -> bool:
    """Return whether `port` can be listened on now."""
    with contextlib.closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def any_free_port(host: str = "127.0.0.1") -> int:
    """Return a port that is free now, and that no outgoing connection will be given meanwhile."""
    while not is_port_free(port := LOWEST_SPARE + secrets.randbelow(SPARE_COUNT), host):
        pass
    return port


def _unused(any_free: Callable[[], int], taken: set[int]) -> int:
    while (port := any_free()) in taken:
        pass
    return port


def _refused(given: str, expected: str) -> ConfigError:
    return ConfigError(
        variable="--port", given=given, expected=expected, fix="leave it out to get a free port"
    )
