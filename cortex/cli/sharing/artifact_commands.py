"""`swarm artifact`: files that agents share."""

import sys
from collections.abc import Sequence
from pathlib import PurePosixPath

from cortex.cli.session import Session
from cortex.cli.sharing import shown
from cortex.cli.sharing.part import open_part
from cortex.coordination.artifacts import Artifact, Progress
from cortex.coordination.errors import NameRefusedError

MEBIBYTE = 1024 * 1024


async def upload(
    session: Session,
    *,
    file: str,
    name: str,
    step: str,
    because: Sequence[str],
    project: str,
    as_json: bool,
) -> None:
    """Store a file for others."""
    path = session.directory / file
    async with open_part(session, project, f"uploading {path.name}", stays=True) as part:
        stored = await part.project.artifact.upload(
            path, name=name, step=step, because=because, progress=_progress(path.name)
        )
    _print(stored, "stored", as_json)


async def download(
    session: Session,
    *,
    name: str,
    output: str,
    version: int,
    force: bool,
    project: str,
    as_json: bool,
) -> None:
    """Fetch a file."""
    target = session.directory / (output or _file_name(name))
    if target.is_dir():
        target /= _file_name(name)
    async with open_part(session, project, f"downloading {name}", stays=True) as part:
        found = await part.project.artifact.download(
            name, target, version=version, replace=force, progress=_progress(name)
        )
    _print(found, f"written to {target}:", as_json)


async def list_(
    session: Session, *, step: str | None, name: str, project: str, as_json: bool
) -> None:
    """List artifacts and their versions."""
    async with open_part(session, project, "listing artifacts") as part:
        found = await part.project.artifact.list(step=step, name=name)
    if as_json:
        shown.print_json([shown.artifact_view(one) for one in found])
    else:
        shown.print_table([_cells(one) for one in found])


def _file_name(name: str) -> str:
    """Return the file that an artifact goes to by default: here, whatever its name says.

    Raises:
        NameRefusedError: its name names no file.
    """
    found = PurePosixPath(name).name
    if found in {"", ".", ".."}:
        raise NameRefusedError(what="a file", name=name, reason="give --output")
    return found


def _progress(name: str) -> Progress | None:
    """Show on a terminal how far it is."""
    if not sys.stderr.isatty():
        return None

    def show(done: int) -> None:
        print(f"\r\x1b[K{name}: {done / MEBIBYTE:.0f} MiB", end="", file=sys.stderr, flush=True)

    return show


def _print(artifact: Artifact, what: str, as_json: bool) -> None:
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
    if as_json:
        shown.print_json(shown.artifact_view(artifact))
    else:
        name = shown.one_line(artifact.name)
        print(f"{what} {name} version {artifact.version}, {artifact.size_bytes} bytes")


def _cells(artifact: Artifact) -> list[str]:
    return [
        artifact.name,
        f"version {artifact.version}",
        f"{artifact.size_bytes} bytes",
        artifact.step,
        artifact.agent,
        artifact.digest[:12],
    ]
