"""State changes: what a change of a file or value looks like as an event's payload.

Pure. The content itself is kept elsewhere under its digest; a patch is for reading, and left out
where it would be large or the content is not text.
"""

import asyncio
import json
import os
import posixpath
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import partial
from hashlib import sha256

from nervous_system import events
from nervous_system.errors import InvalidEventError
from nervous_system.schemas import StateChange

FILE_SYSTEM = "FILE_SYSTEM"
MAX_PATCH_BYTES = 256 * 1024
CONTEXT_LINES = 3
SYMLINK_MODE = stat.S_IFLNK
"""Mode of a symbolic link, whose content is the name that it points to; it has no permissions."""
MAX_INLINE_BYTES = 16 * 1024
_NO_NEWLINE = "\\ No newline at end of file\n"

FilePath = str | bytes | os.PathLike[str] | os.PathLike[bytes]


@dataclass(frozen=True, slots=True)
class ResourceName:
    """A name within a workspace, which need not be UTF-8."""

    readable: str
    raw: bytes
    """The name as bytes, if it is not UTF-8; else empty."""


def digest_of(content: bytes | None) -> str:
    """Return the hex SHA-256 of `content`; empty for what does not exist."""
    return "" if content is None else sha256(content).hexdigest()


def resource_name(path: FilePath) -> ResourceName:
    """Return a path as a resource's name: `/` between parts, no `./`, no `a/../`.

    Raises:
        InvalidEventError: it is empty.
    """
    raw = os.fsencode(path)
    if not raw:
        raise InvalidEventError(field="target_resource", reason="empty path")
    if os.sep != "/":
        raw = raw.replace(os.sep.encode(), b"/")
    raw = posixpath.normpath(raw)
    try:
        return ResourceName(raw.decode(), b"")
    except UnicodeDecodeError:
        return ResourceName(raw.decode("utf-8", "backslashreplace"), raw)


def file_change(
    path: FilePath,
    *,
    before: bytes | None,
    after: bytes | None,
    mode: int = 0,
    renamed_from: FilePath | None = None,
    is_reversible: bool,
) -> StateChange:
    """Build the payload of a file's change; None stands for a file that does not exist.

    Raises:
        InvalidEventError: a path is empty, or a value does not fit its field.
    """
    name = resource_name(path)
    old = resource_name(renamed_from) if renamed_from is not None else None
    return events.state_change(
        target_type=FILE_SYSTEM,
        target_resource=name.readable,
        previous_state_hash=digest_of(before),
        new_state_hash=digest_of(after),
        diff_patch=unified_diff(
            old.readable if old else name.readable, name.readable, before, after
        ),
        is_reversible=is_reversible,
        mode=SYMLINK_MODE if stat.S_ISLNK(mode) else stat.S_IMODE(mode),
        size_bytes=len(after or b""),
        renamed_from=old.readable if old else "",
        resource_bytes=name.raw,
    )


async def build_file_change(
    path: FilePath,
    *,
    before: bytes | None,
    after: bytes | None,
    mode: int = 0,
    renamed_from: FilePath | None = None,
    is_reversible: bool,
) -> StateChange:
    """As `file_change`; comparing contents above 16 KiB is left to a thread.

    Raises:
        InvalidEventError: a path is empty, or a value does not fit its field.
    """
    build = partial(
        file_change,
        path,
        before=before,
        after=after,
        mode=mode,
        renamed_from=renamed_from,
        is_reversible=is_reversible,
    )
    if max(len(before or b""), len(after or b"")) <= MAX_INLINE_BYTES:
        return build()
    return await asyncio.to_thread(build)


def encode_value(value: object) -> bytes | None:
    """Return a value's content: JSON with sorted keys and no spaces; None, the absent, has none.

    Raises:
        InvalidEventError: `value` has no JSON form.
    """
    if value is None:
        return None
    try:
        text = json.dumps(
            value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
        )
        return text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidEventError(field="value", reason=f"no JSON form: {error}") from error


def value_change(
    target_type: str,
    resource: str,
    *,
    before: bytes | None,
    after: bytes | None,
    is_reversible: bool,
) -> StateChange:
    """Build the payload of a value's change from what `encode_value` made of both values."""
    fits = after is not None and len(after) <= MAX_PATCH_BYTES
    return events.state_change(
        target_type=target_type,
        target_resource=resource,
        previous_state_hash=digest_of(before),
        new_state_hash=digest_of(after),
        diff_patch=after.decode() if after is not None and fits else "",
        is_reversible=is_reversible,
        size_bytes=len(after or b""),
    )


def unified_diff(old: str, new: str, before: bytes | None, after: bytes | None) -> str:
    """Return a unified diff for `patch` and `git apply`; empty for binary or large content."""
    if abs(len(before or b"") - len(after or b"")) > MAX_PATCH_BYTES:
        return ""  # at least that many bytes would stand in it
    old_lines, new_lines = _lines(before), _lines(after)
    if old_lines is None or new_lines is None or before == after:
        return ""
    start, end = _common_ends(old_lines, new_lines)
    old_middle = old_lines[start : len(old_lines) - end]
    new_middle = new_lines[start : len(new_lines) - end]
    if max(sum(map(len, old_middle)), sum(map(len, new_middle))) > MAX_PATCH_BYTES:
        return ""
    lead = min(start, CONTEXT_LINES)
    tail = min(end, CONTEXT_LINES)
    old_part = old_lines[start - lead : len(old_lines) - end + tail]
    new_part = new_lines[start - lead : len(new_lines) - end + tail]
    head = _header("---", "a", old, before) + _header("+++", "b", new, after)
    patch = head + "".join(_hunks(old_part, new_part, start - lead))
    return patch if len(patch.encode()) <= MAX_PATCH_BYTES else ""


def _lines(content: bytes | None) -> list[str] | None:
    """Return the lines with their ends; None for binary content."""
    if not content:
        return []
    if b"\0" in content:
        return None
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return None
    lines = [f"{line}\n" for line in text.split("\n")]
    last = lines.pop()[:-1]
    return [*lines, last] if last else lines


def _common_ends(old: list[str], new: list[str]) -> tuple[int, int]:
    """Return how many lines both begin and end with: the rest is what has to be compared."""
    shorter = min(len(old), len(new))
    start = 0
    while start < shorter and old[start] == new[start]:
        start += 1
    end = 0
    while end < shorter - start and old[-1 - end] == new[-1 - end]:
        end += 1
    return start, end


def _header(mark: str, side: str, name: str, content: bytes | None) -> str:
    path = "/dev/null" if content is None else f"{side}/{name}"
    if any(character in path for character in '"\\\n\t'):
        path = json.dumps(path, ensure_ascii=False)  # C-style quotes, as git writes such names
    return f"{mark} {path}\n"


def _hunks(old: list[str], new: list[str], offset: int) -> Iterator[str]:
    matcher = SequenceMatcher(None, old, new)
    for group in matcher.get_grouped_opcodes(CONTEXT_LINES):
        (_, old_start, _, new_start, _), (_, _, old_end, _, new_end) = group[0], group[-1]
        old_range = _range(old_start + offset, old_end - old_start)
        new_range = _range(new_start + offset, new_end - new_start)
        yield f"@@ -{old_range} +{new_range} @@\n"
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                yield from _marked(" ", old[i1:i2])
            else:
                yield from _marked("-", old[i1:i2])
                yield from _marked("+", new[j1:j2])


def _range(start: int, length: int) -> str:
    first = start + 1 if length else start
    return f"{first}" if length == 1 else f"{first},{length}"


def _marked(mark: str, lines: list[str]) -> Iterator[str]:
    for line in lines:
        yield f"{mark}{line}" if line.endswith("\n") else f"{mark}{line}\n{_NO_NEWLINE}"
