"""The text of the engine's queries: one `.sql` file each, beside this module in `queries/`."""

from functools import cache
from importlib import resources


@cache
def query_text(name: str) -> str:
    """Return the text of `queries/<name>.sql`."""
    folder = resources.files("cortex.engine") / "queries"
    return (folder / f"{name}.sql").read_text(encoding="utf-8")
