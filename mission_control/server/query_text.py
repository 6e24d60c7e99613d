"""The text of the dashboard's queries: one `.sql` file each, beside this module in `queries/`."""

from functools import cache
from importlib import resources

_FAILED = "${failed}"
"""Stands for the one condition that says which events tell a failure."""


@cache
def query_text(name: str) -> str:
    """Return the text of `queries/<name>.sql` without its comments: drivers take time for them."""
    text = _without_comments(name)
    return text.replace(_FAILED, _without_comments("failed")) if _FAILED in text else text


def _without_comments(name: str) -> str:
    folder = resources.files("mission_control.server") / "queries"
    lines = (folder / f"{name}.sql").read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if not line.lstrip().startswith("--"))
