"""Patches as harnesses write them: read, brought into the form of unified diffs, applied. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_SECTION = re.compile(r"\*\*\* (Add|Update|Delete) File: (\S.*?)[ \t\r]*$")
_MOVED = re.compile(r"\*\*\* Move to: (\S.*?)[ \t\r]*$")
_NO_NEWLINE = "\\ No newline at end of file"


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchedFile:
    """What a patch does to one file."""

    path: str
    content: str | None = None
    """Of a new file."""
    patch: str = ""
    is_new: bool = False
    is_gone: bool = False
    moved_to: str = ""


def patch_of_hunks(hunks: Iterable[Mapping[str, Any]]) -> str:
    """Return a unified diff without a header from hunks with `oldStart`, `lines` and the like."""
    parts: list[str] = []
    for hunk in hunks:
        lines = [str(line) for line in hunk.get("lines") or ()]
        old = f"{hunk.get('oldStart', 0)},{hunk.get('oldLines', 0)}"
        new = f"{hunk.get('newStart', 0)},{hunk.get('newLines', 0)}"
        parts += [f"@@ -{old} +{new} @@", *lines]
    return "".join(f"{part}\n" for part in parts)


def files_of_patch(text: str) -> Iterator[PatchedFile]:
    """Yield what a patch in the `*** Begin Patch` form does, file by file."""
    kind, path, moved, lines = "", "", "", list[str]()
    for line in [*text.split("\n"), "*** End Patch"]:
        if (match := _MOVED.match(line)) and kind:
            moved = match[1]
        elif (match := _SECTION.match(line)) or line.startswith("*** End Patch"):
            if kind:
                yield _patched(kind, path, moved, lines)
            kind, path, moved, lines = (match[1], match[2], "", []) if match else ("", "", "", [])
        elif kind:
            lines.append(line)


def _patched(kind: str, path: str, moved: str, lines: list[str]) -> PatchedFile:
    if kind == "Add":
        content = "".join(f"{line[1:]}\n" for line in lines if line.startswith("+"))
        return PatchedFile(path=path, content=content, is_new=True)
    if kind == "Delete":
        return PatchedFile(path=path, is_gone=True)
    patch = "".join(f"{line}\n" for line in lines)
    return PatchedFile(path=path, patch=patch, moved_to=moved)


def apply_patch(before: str, patch: str) -> str | None:
    """Return what a unified diff makes of `before`; None where it does not fit exactly."""
    old = before.split("\n")
    result: list[str] = []
    position = 0
    lines = patch.split("\n")
    index = 0
    while index < len(lines):
        match = _HUNK.match(lines[index])
        index += 1
        if match is None:
            continue
        start = max(int(match[1]) - 1, 0) if match[2] != "0" else int(match[1])
        if start < position or start > len(old):
            return None
        result += old[position:start]
        position = start
        while index < len(lines) and not lines[index].startswith("@@"):
            line = lines[index]
            index += 1
            mark, text = line[:1], line[1:]
            if mark in {" ", "-"}:
                if position >= len(old) or old[position] != text:
                    return None
                position += 1
            if mark in {" ", "+"}:
                result.append(text)
            elif mark not in {"-", "\\", ""}:
                break
    return "\n".join([*result, *old[position:]])


def replace_text(before: str, old: str, new: str, *, is_all: bool) -> str | None:
    """Return `before` with `old` replaced once or everywhere; None where it is not in there."""
    if not old:
        return new if not before else None
    if old not in before:
        return None
    return before.replace(old, new) if is_all else before.replace(old, new, 1)


def with_header(path: str, patch: str, *, is_new: bool = False, is_gone: bool = False) -> str:
    """Return a unified diff that begins by naming its file."""
    if not patch or patch.startswith(("--- ", "Index: ", "diff ")):
        return patch
    old = "/dev/null" if is_new else f"a/{path}"
    new = "/dev/null" if is_gone else f"b/{path}"
    return f"--- {old}\n+++ {new}\n{patch}"
