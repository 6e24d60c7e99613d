"""Names of files within a workspace: which ones a tool takes, and which are not its content.

Pure. A name is relative, in bytes, with `/` between its parts. Nothing is resolved or corrected:
`a/../b` is refused, because what `a` is would decide what it means.
"""

import os
import re

from cortex.errors import ToolRefusedError

PathLike = str | bytes | os.PathLike[str] | os.PathLike[bytes]

MAX_PATH_BYTES = 4096
MAX_PART_BYTES = 255
MAX_DEPTH = 200
GIT_DIRECTORY = b".git"
_TEMPORARY = re.compile(rb"\.swarm-[0-9a-f]{16}\.part")


def parse_path(tool: str, path: PathLike) -> tuple[bytes, ...]:
    """Return the parts of a file's name.

    Args:
        tool: named in the refusal.
        path: the name; text stands for its bytes as the file system has them.

    Raises:
        ToolRefusedError: it is empty, absolute, not normal, too long, or of git's own files.
    """
    try:
        raw = os.fsencode(path)
    except UnicodeEncodeError as error:
        raise ToolRefusedError(
            tool=tool, argument=ascii(path), rule="the name cannot be written in bytes"
        ) from error
    parts = tuple(raw.split(b"/"))
    rule = _broken_rule(raw, parts)
    if rule:
        raise ToolRefusedError(tool=tool, argument=shown(raw), rule=rule)
    return parts


def parse_directory(tool: str, path: PathLike) -> tuple[bytes, ...]:
    """Return the parts of a directory's name; none for the root, which is `.` or empty.

    Raises:
        ToolRefusedError: as `parse_path`.
    """
    raw = os.fsencode(path)
    if raw in (b"", b"."):
        return ()
    return parse_path(tool, raw[:-1] if raw.endswith(b"/") else raw)


def is_temporary(name: bytes) -> bool:
    """Whether a file of this name is one of ours on the way to its place."""
    return _TEMPORARY.fullmatch(name) is not None


def temporary_name(random: bytes) -> bytes:
    """Return the name of a new temporary file, from 8 random bytes."""
    return b".swarm-%s.part" % random.hex().encode()


def shown(path: bytes) -> str:
    """Return a name for people; what is not UTF-8 is escaped."""
    return path.decode("utf-8", "backslashreplace")


def _broken_rule(raw: bytes, parts: tuple[bytes, ...]) -> str:
    """Return the rule that a name breaks; empty if none."""
    if not raw:
        return "the name is empty"
    if b"\0" in raw:
        return "a name holds no NUL"
    if raw.startswith(b"/"):
        return "absolute: names are relative to the workspace"
    if b".." in parts:
        return "`..` would lead elsewhere: give the name from the workspace's root"
    if b"" in parts or b"." in parts:
        return "not normal: no empty parts and no `.` between the slashes"
    if len(raw) > MAX_PATH_BYTES or max(map(len, parts)) > MAX_PART_BYTES:
        return f"longer than {MAX_PATH_BYTES} bytes, or a part longer than {MAX_PART_BYTES}"
    if len(parts) > MAX_DEPTH:
        return f"more than {MAX_DEPTH} parts deep"
    if parts[0].lower() == GIT_DIRECTORY:
        return "git's own files are not content: use the git tools"
    if is_temporary(parts[-1]):
        return "names of this form are our temporary files"
    return ""
