"""Every variable that the code reads is on the page of configuration."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STREAMS = {
    "SWARM_TASKS",
    "SWARM_SPANS",
    "SWARM_CHECKPOINTS",
    "SWARM_COORDINATION",
    "SWARM_CONTENT",
    "SWARM_MEMORY",
}


def variables_read() -> set[str]:
    found: set[str] = set()
    for folder in ("nervous_system", "infrastructure", "cortex", "mission_control"):
        for path in (ROOT / folder).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            found |= set(re.findall(r"""["'](SWARM_[A-Z_]*[A-Z]|OTEL_[A-Z_]*[A-Z])["']""", text))
    return found - STREAMS


def test_every_variable_is_documented() -> None:
    page = (ROOT / "docs/reference/configuration.md").read_text(encoding="utf-8")
    assert sorted(name for name in variables_read() if f"`{name}`" not in page) == []
