"""The files of a work tree that git shows as changed."""

import subprocess
from pathlib import Path

from cortex.coordination.errors import ValueRefusedError

GIT_SECONDS = 30
MAX_FILES = 1_000


def changed_files(directory: Path) -> list[str]:
    """Return the files that differ from the last commit, and those that git does not know yet.

    Raises:
        ValueRefusedError: this is no work tree of git's.
    """
    command = ["git", "status", "--porcelain", "-z", "--untracked-files=all", "--no-renames"]
    try:
        done = subprocess.run(
            command, cwd=directory, capture_output=True, timeout=GIT_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ValueRefusedError(key="--changed-files-from-git", reason=str(error)) from error
    if done.returncode:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["git failed"]
        raise ValueRefusedError(key="--changed-files-from-git", reason=lines[-1])
    names = [one[3:].decode("utf-8", "backslashreplace") for one in done.stdout.split(b"\0") if one]
    if len(names) > MAX_FILES:
        rest = len(names) - MAX_FILES
        return [*names[:MAX_FILES], f"... and {rest} more"]
    return names
