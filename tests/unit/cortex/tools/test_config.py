from pathlib import Path

from cortex.tools.config import inherited_environment
from cortex.tools.process import build_environment

OURS = {"PATH": "/bin", "LANG": "C", "OPENAI_API_KEY": "k", "SWARM_NATS_URL": "u", "HOME": "/me"}


def test_only_what_is_listed_is_inherited() -> None:
    assert inherited_environment(OURS) == {"PATH": "/bin", "LANG": "C"}


def test_configured_variables_come_last() -> None:
    built = build_environment({"PATH": "/bin"}, {"PATH": "/opt", "X": "1"}, Path("/tmp/h"))
    assert (built["PATH"], built["X"], built["HOME"]) == ("/opt", "1", "/tmp/h")
