"""The SQL of verification: one statement per file in `sql/`, with names to be filled in."""

from functools import cache
from importlib import resources
from string import Template


@cache
def _text(name: str) -> Template:
    file = resources.files("infrastructure.history.verify") / "sql" / f"{name}.sql"
    return Template(file.read_text(encoding="utf-8"))


def statement(name: str, **identifiers: str) -> str:
    """Return a statement; `identifiers` are our own names, never values from outside."""
    return _text(name).substitute(identifiers)
