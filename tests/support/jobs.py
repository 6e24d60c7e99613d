"""Runs of the swarm on repositories, as real processes."""

import os
import re
import signal
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from tests.support.eventually import eventually_blocking
from tests.support.repositories import UserRepository
from tests.support.stacks import SWARM, Stack

EXAMPLE = Path(__file__).resolve().parents[2] / "examples/harbour/repository.fast-export"
FINDINGS = "import os\nimport sys\n\n\ndef same(value):\n    return value == None\n"
"""A file with two unused imports and a comparison with None."""
RUFF = 'lint.select = ["E", "F"]\n'
FIXED = "\n\ndef same(value):\n    return value is None\n"


def harbour(root: Path) -> UserRepository:
    """The bundled repository, with its history."""
    user = UserRepository(root)
    user.git("fast-import", "--quiet", stdin=EXAMPLE.read_bytes())
    user.git("reset", "-q", "--hard")
    return user


def with_findings(root: Path, count: int) -> UserRepository:
    """A repository of `count` files with findings."""
    user = UserRepository(root)
    user.commit({f"m{number}.py": FINDINGS for number in range(count)})
    user.commit({"ruff.toml": RUFF})
    return user


def archived(user: UserRepository, commit: str) -> dict[str, tuple[bytes, bool]]:
    """Return content of each file of a commit and whether it is executable, as git packs them."""
    command = ["git", "archive", "--format=tar", commit]
    packed = subprocess.run(command, cwd=user.root, capture_output=True, check=True).stdout
    found = {}
    with tarfile.open(fileobj=BytesIO(packed)) as archive:
        for member in archive.getmembers():
            if member.isfile():
                taken = archive.extractfile(member)
                assert taken is not None
                found[member.name] = (taken.read(), bool(member.mode & 0o100))
    return found


def unpacked(root: Path) -> dict[str, tuple[bytes, bool]]:
    """Return the same of a directory."""
    return {
        path.relative_to(root).as_posix(): (path.read_bytes(), bool(path.stat().st_mode & 0o100))
        for path in root.rglob("*")
        if path.is_file()
    }


@dataclass(slots=True)
class Going:
    """A command under way."""

    child: subprocess.Popen[bytes]
    said: Path
    """What it writes to stderr."""

    @property
    def text(self) -> str:
        return self.said.read_text(encoding="utf-8", errors="replace")

    def wait_for(self, pattern: str, seconds: float = 40) -> str:
        """Wait until it has said something; return what the pattern's first group found."""
        eventually_blocking(
            lambda: self.child.poll() is not None or re.search(pattern, self.text), timeout=seconds
        )
        match = re.search(pattern, self.text)
        assert match, self.text
        return str(match.group(1) if match.groups() else match.group(0))

    def run_id(self) -> str:
        return self.wait_for(r"run ([0-9a-f-]{36}) on")

    def kill(self) -> None:
        """SIGKILL; what it started ends with it or is found dead by its lease."""
        os.kill(self.child.pid, signal.SIGKILL)
        self.child.wait()

    def end(self, seconds: float = 60) -> int:
        return self.child.wait(seconds)


@contextmanager
def started(stack: Stack, said: Path, *arguments: str) -> Iterator[Going]:
    """Start `swarm ARGUMENTS` on a stack; killed at the end of the block, if it still runs."""
    environment = {**os.environ, **stack.environment}
    with said.open("wb") as stderr:
        child = subprocess.Popen(
            [SWARM, *arguments, "--home", str(stack.root)],
            stdout=stderr,
            stderr=stderr,
            env=environment,
        )
    try:
        yield Going(child, said)
    finally:
        if child.poll() is None:
            child.kill()
        child.wait()
