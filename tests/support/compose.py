"""What docker-compose.yml says, with its variables filled in as compose does."""

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
COMPOSE_FILE = ROOT / "docker-compose.yml"
NATS_FILES = ROOT / "infrastructure" / "nats"
VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)(?::[?-]([^}]*))?\}")


def load_compose() -> dict[str, Any]:
    """Return the file as written."""
    document: dict[str, Any] = yaml.safe_load(COMPOSE_FILE.read_text(encoding="utf-8"))
    return document


def environment_of(service: str, values: dict[str, str]) -> dict[str, str]:
    """Return a service's environment with `values` for its variables."""
    written: dict[str, str] = load_compose()["services"][service].get("environment", {})
    return {name: _filled(str(text), values) for name, text in written.items()}


def example_variables() -> dict[str, str]:
    """Return what `.env.example` sets."""
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name: value for name, _, value in pairs}


def passwords() -> dict[str, str]:
    """Return `.env.example` with a password wherever one is asked for."""
    return {name: value or f"p{name.lower()}" for name, value in example_variables().items()}


def _filled(text: str, values: dict[str, str]) -> str:
    return VARIABLE.sub(lambda match: values[match.group(1)], text)
