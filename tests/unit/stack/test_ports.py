import socket

import pytest

from infrastructure.stack.ports import (
    USUAL_PORTS,
    any_free_port,
    choose_ports,
    is_port_free,
    parse_ports,
)
from nervous_system.errors import ConfigError


def choose(
    given: dict[str, int] | None = None,
    recorded: dict[str, int] | None = None,
    taken: set[int] | None = None,
) -> dict[str, int]:
    spare = iter(range(50000, 51000))
    return choose_ports(
        given=given or {},
        recorded=recorded or {},
        is_free=lambda port: port not in (taken or set()),
        any_free=lambda: next(spare),
    )


def test_usual_ports_are_taken_where_free() -> None:
    assert choose() == USUAL_PORTS


def test_taken_port_is_replaced_by_a_free_one() -> None:
    chosen = choose(taken={4222})
    assert chosen == {**USUAL_PORTS, "nats": 50000}


def test_recorded_port_comes_before_the_usual() -> None:
    assert choose(recorded={"nats": 5000})["nats"] == 5000


def test_recorded_port_that_is_taken_gives_way() -> None:
    assert choose(recorded={"nats": 5000}, taken={5000})["nats"] == 4222


def test_given_port_comes_first() -> None:
    assert choose(given={"nats": 6000}, recorded={"nats": 5000})["nats"] == 6000


def test_no_port_is_used_twice() -> None:
    chosen = choose(given={"history": 4222}, recorded={"otlp": 8222})
    assert len(set(chosen.values())) == len(USUAL_PORTS)
    assert chosen["history"] == 4222


@pytest.mark.parametrize("given", [{"nats": 7}, {"nonsense": 8}, {"nats": 9, "otlp": 9}])
def test_given_port_that_cannot_be_had_is_refused(given: dict[str, int]) -> None:
    with pytest.raises(ConfigError):
        choose(given=given, taken={7})


@pytest.mark.parametrize("text", ["nats", "nats=", "nats=x", "nats=0", "nats=65536", "=-1"])
def test_malformed_port_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="--port"):
        parse_ports([text])


def test_ports_are_parsed() -> None:
    assert parse_ports(["nats=1", "otlp=65535"]) == {"nats": 1, "otlp": 65535}


def test_port_that_is_listened_on_is_not_free() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        assert not is_port_free(listener.getsockname()[1])
    assert is_port_free(any_free_port())
