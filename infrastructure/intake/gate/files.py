"""Which files a tool is about to touch, by all the names that they have."""

import os
import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from infrastructure.intake.gate.rules import File, Place

_PATH_ARGUMENTS = (
    *("file_path", "path", "notebook_path", "filePath", "absolute_path", "directory", "dir_path"),
    *("target_file", "old_path", "new_path"),
)
_PATCHED = re.compile(
    r"^\*\*\* (?:Add File|Update File|Delete File|Move to): (.+?)\s*$", re.MULTILINE
)


def named_files(arguments: Any) -> list[str]:
    """Return the files that arguments name: in arguments for files, and in patches; pure."""
    if not isinstance(arguments, Mapping):
        return _PATCHED.findall(arguments) if isinstance(arguments, str) else []
    found = [arguments[name] for name in _PATH_ARGUMENTS if isinstance(arguments.get(name), str)]
    for name in ("paths", "files"):
        members = arguments.get(name)
        found += (
            [one for one in members if isinstance(one, str)] if isinstance(members, list) else []
        )
    for text in arguments.values():
        if isinstance(text, str) and "*** " in text:
            found += _PATCHED.findall(text)
    return list(dict.fromkeys(one for one in found if one))


def places_of(path: str, directory: str) -> File:
    """Return where a file is, as given and behind symbolic links.

    Args:
        path: as an agent gave it.
        directory: that the agent works in; empty: not known.
    """
    absolute = os.path.normpath(os.path.join(directory or "/", os.path.expanduser(path)))
    real = os.path.realpath(absolute)
    return tuple(_names(one, directory) for one in dict.fromkeys((absolute, real)))


def _names(path: str, directory: str) -> Place:
    names = [path]
    for root in _roots(directory):
        if PurePath(path).is_relative_to(root):
            names.append(str(PurePath(path).relative_to(root)))
    home = os.path.expanduser("~")
    if PurePath(path).is_relative_to(home):
        names.append(f"~/{PurePath(path).relative_to(home)}")
    return tuple(dict.fromkeys(names))


def _roots(directory: str) -> list[str]:
    return [os.path.normpath(directory), os.path.realpath(directory)] if directory else []
