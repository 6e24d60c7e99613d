import pytest

from mission_control.server.reach import is_known_host, is_own_origin

ORIGINS = ("https://swarm.example.org",)


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8321", "localhost", "LOCALHOST:1", "[::1]:8321", "swarm.example.org"]
)
def test_names_of_this_server_are_known(host: str) -> None:
    assert is_known_host(host, ORIGINS)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "localhost.evil.example",
        "swarm.example.org:8080",
        "127.0.0.2",
        "[",
        "::1",
    ],
)
def test_other_names_are_not(host: str) -> None:
    assert not is_known_host(host, ORIGINS)


@pytest.mark.parametrize(
    ("origin", "is_own"),
    [
        ("http://127.0.0.1:8321", True),
        ("https://swarm.example.org", True),
        ("http://127.0.0.1", False),
        ("http://127.0.0.1:83210", False),
        ("http://localhost:8321", False),
        ("null", False),
        ("", False),
    ],
)
def test_origin_is_own_where_the_page_came_from_this_host(origin: str, is_own: bool) -> None:
    assert is_own_origin(origin, "127.0.0.1:8321", ORIGINS) is is_own
