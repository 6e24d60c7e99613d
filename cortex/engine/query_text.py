"""The text of the engine's queries: one `.sql` file each, beside this module in `queries/`."""

from functools import cache
from importlib import resources


@cache
def query_text(name: str) -> str:
    """Return the text of `queries/<name>.sql` without its comments: drivers take time for them."""
    folder = resources.files("cortex.engine") / "queries"
    lines = (folder / f"{name}.sql").read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if not line.startswith("--"))
