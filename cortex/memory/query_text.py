"""The text of memory's queries: one `.sql` file each, beside this module in `queries/`."""

from functools import cache
from importlib import resources


@cache
def query_text(name: str) -> str:
    """Return the text of `queries/<name>.sql` without its comments."""
    folder = resources.files("cortex.memory") / "queries"
    lines = (folder / f"{name}.sql").read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if not line.startswith("--"))
