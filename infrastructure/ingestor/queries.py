"""The SQL of the ingestor, by name: each file of `sql/` holds one statement."""

from functools import cache
from importlib import resources


@cache
def sql(name: str) -> str:
    """Return the statement in `sql/<name>.sql`."""
    file = resources.files("infrastructure.ingestor") / "sql" / f"{name}.sql"
    return file.read_text(encoding="utf-8")
