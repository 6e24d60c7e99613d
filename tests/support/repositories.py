"""Real git repositories for tests, kind and hostile, and what must not change in them."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from cortex.tools.run_repository import Conflict, RunRepository

BRANCH_FILE = "refs/heads/swarm/"


class UserRepository:
    """A repository of a user, with one commit, on branch `main`."""

    def __init__(self, root: Path, *options: str) -> None:
        self.root = root
        root.mkdir(parents=True)
        self.git("init", "-q", "-b", "main", *options)
        self.git("config", "user.name", "User")
        self.git("config", "user.email", "user@example.org")

    @classmethod
    def at(cls, root: Path) -> "UserRepository":
        """Return the one that is there already."""
        found = cls.__new__(cls)
        found.root = root
        return found

    def git(self, *arguments: str, stdin: bytes = b"") -> str:
        """Run git as the user would, without the settings of whoever runs the tests."""
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": "/dev/null",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_NOSYSTEM": "1",
        }
        done = subprocess.run(
            ["git", "-c", "protocol.file.allow=always", *arguments],
            cwd=self.root,
            env=environment,
            input=stdin,
            capture_output=True,
            check=True,
        )
        return os.fsdecode(done.stdout).strip()

    def write(self, files: Mapping[str, bytes | str]) -> None:
        for name, content in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)

    def commit(self, files: Mapping[str, bytes | str], message: str = "Change") -> str:
        self.write(files)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def files_of(self, commit: str) -> dict[str, bytes]:
        """Return names and contents of a commit."""
        names = self.git("ls-tree", "-r", "--name-only", "-z", commit).split("\0")
        return {name: self.show(f"{commit}:{name}") for name in names if name}

    def show(self, name: str) -> bytes:
        command = ["git", "cat-file", "blob", name]
        return subprocess.run(command, cwd=self.root, capture_output=True, check=True).stdout

    def state(self) -> dict[str, bytes | str]:
        """Return all of the checkout and of git's files, but for objects and the run's branch."""
        found: dict[str, bytes | str] = {}
        for folder, _, names in os.walk(self.root):
            for name in names:
                path = Path(folder, name)
                key = str(path.relative_to(self.root))
                if key.startswith(".git/objects/") or BRANCH_FILE in key:
                    continue
                found[key] = os.readlink(path) if path.is_symlink() else path.read_bytes()
        return found


async def put_on_branch(run: RunRepository, commit: str) -> str | Conflict:
    """Put a commit on the run's branch, as a reviewer does; rivals try again."""
    while True:
        head = await run.head()
        found = await run.candidate(commit, head)
        if isinstance(found, Conflict) or found == head or await run.advance(found, head):
            return found
