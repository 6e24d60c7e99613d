"""Repositories of our own that borrow another one's objects: nothing in that one is touched.

All settings in them are ours, and so are the attributes: files are taken and given byte for byte,
no filter, no conversion of line ends, whatever the repository's `.gitattributes` say.
"""

import asyncio
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cortex.tools.config import GitConfig
from cortex.tools.git_command import Git

ATTRIBUTES = "* -text -eol -filter -ident -working-tree-encoding\n"
EXCLUDES = ".swarm-*.part\n"


@dataclass(frozen=True, slots=True)
class Origin:
    """What objects are borrowed from."""

    object_directories: tuple[Path, ...]
    object_format: str
    shallow_file: Path | None
    """Commits whose parents are not there; None: all are."""


async def make_store(
    config: GitConfig, directory: Path, origin: Origin, *, is_bare: bool = True
) -> None:
    """Make a repository at `directory` that borrows the objects of `origin`.

    Raises:
        ToolFailedError: git cannot make it.
    """
    kind = ["--bare"] if is_bare else []
    parent = directory.parent
    await asyncio.to_thread(parent.mkdir, parents=True, exist_ok=True)
    await Git(config, parent).run(
        "init",
        "--quiet",
        "--template=",
        "--initial-branch=swarm",
        f"--object-format={origin.object_format}",
        *kind,
        str(directory),
    )
    own = directory if is_bare else directory / ".git"
    await asyncio.to_thread(_furnish, own, origin)


def _furnish(directory: Path, origin: Origin) -> None:
    info = directory / "info"
    info.mkdir(exist_ok=True)
    (info / "attributes").write_text(ATTRIBUTES, encoding="utf-8")
    (info / "exclude").write_text(EXCLUDES, encoding="utf-8")
    borrowed = directory / "objects" / "info"
    borrowed.mkdir(parents=True, exist_ok=True)
    (borrowed / "alternates").write_bytes(_alternates(origin.object_directories))
    if origin.shallow_file is not None and origin.shallow_file.exists():
        shutil.copyfile(origin.shallow_file, directory / "shallow")


def _alternates(directories: Sequence[Path]) -> bytes:
    return b"".join(_quoted(bytes(directory)) + b"\n" for directory in directories)


def _quoted(path: bytes) -> bytes:
    """Return a path as one line of git's."""
    if b"\n" not in path and not path.startswith((b'"', b"#")):
        return path
    escapes = ((b"\\", b"\\\\"), (b'"', b'\\"'), (b"\n", b"\\n"))
    for plain, escaped in escapes:
        path = path.replace(plain, escaped)
    return b'"' + path + b'"'
