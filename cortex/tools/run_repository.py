"""The repository of one run: work trees, commits and the run's branch, apart from the user's.

    <directory>/repository.git     our own; borrows the user's objects; all our git works on it
    <directory>/index/<name>       what git knows of a work tree
    <directory>/<name>/            a work tree, with a small repository for the commands run in it

What commands do to the `.git` in a work tree is of no consequence here: it is never read. The
user's repository gets the run's branch when `publish` is called, and nothing else.
"""

import asyncio
import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cortex.errors import ToolFailedError, ToolRefusedError
from cortex.tools.git_command import Git
from cortex.tools.git_names import (
    branch_name,
    format_message,
    is_storable,
    parse_name_status,
    parse_raw_diff,
    split_names,
    work_tree_name,
)
from cortex.tools.git_store import Origin, make_store
from cortex.tools.repository import Repository, RepositoryFacts

STORE = "repository.git"
INDEXES = "index"
PUBLISHED = "refs/swarm/published"
MAX_DIFF_BYTES = 4 * 1024 * 1024
_DIFF = (
    "--no-ext-diff",
    "--no-textconv",
    "--no-color",
    "--find-renames",
    "--ignore-submodules=all",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkTree:
    """A directory with the files of one commit, for one agent to change."""

    name: str
    root: Path
    base_commit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """A change that does not fit what was accepted since; the branch is as it was."""

    paths: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChange:
    """One file that differs between two commits."""

    path: bytes
    before: bytes | None
    after: bytes | None
    mode: int
    """Of the file after, as a state change tells it; 0 where it is gone."""


class RunRepository:
    """Git for one run; made by `open_run_repository`, and again after a crash."""

    def __init__(self, repository: Repository, directory: Path, run_id: str) -> None:
        self.run_id = run_id
        self.branch = branch_name(run_id)
        self._repository = repository
        self._directory = directory
        self._store = directory / STORE
        self._config = repository.config

    @property
    def facts(self) -> RepositoryFacts:
        """What the user's repository was at the beginning."""
        return self._repository.facts

    async def head(self) -> str:
        """Return the commit that the run's branch points to."""
        return (await self._git().run("rev-parse", "--verify", self._ref)).text

    async def add_work_tree(self, name: str, commit: str | None = None) -> WorkTree:
        """Make a work tree with the files of a commit.

        Args:
            name: of its directory; one of this name is replaced.
            commit: by default the newest of the run's branch.

        Raises:
            ToolFailedError: git cannot make it.
        """
        (base,) = _commits(commit or await self.head())
        safe = work_tree_name(name)
        if safe in (STORE, INDEXES):
            safe = f"agent-{safe}"
        tree = WorkTree(name=safe, root=self._directory / safe, base_commit=base)
        await self.remove_work_tree(tree)
        origin = self._borrowed()
        await make_store(self._config, tree.root, origin, is_bare=False)
        await asyncio.to_thread(self._index(tree).parent.mkdir, exist_ok=True)
        git = self._git(tree)
        await git.run("read-tree", base)
        await git.run("checkout-index", "--all", "--force", "--index", "--quiet")
        await self._furnish(tree)
        return tree

    async def remove_work_tree(self, tree: WorkTree) -> None:
        """Remove a work tree with all that is in it; one that is not there is fine."""
        await asyncio.to_thread(remove_directory, tree.root)
        await asyncio.to_thread(self._index(tree).unlink, missing_ok=True)

    async def commit(
        self, tree: WorkTree, subject: str, body: str = "", *, event_ids: Sequence[str] = ()
    ) -> str | None:
        """Commit what differs in a work tree from its base, without what is ignored.

        The commit is on no branch yet. A second one of the same work tree is in the place of the
        first: both have the work tree's base as parent.

        Returns:
            The commit; None where nothing differs.

        Raises:
            ToolFailedError: git cannot store what is there.
        """
        git = self._git(tree)
        stored = await self._store_files(git)
        base = (await git.run("rev-parse", "--verify", f"{tree.base_commit}^{{tree}}")).text
        if stored == base:
            return None
        message = format_message(subject, body, self.run_id, event_ids)
        return await self._commit_tree(stored, tree.base_commit, message)

    async def candidate(self, commit: str, head: str) -> str | Conflict:
        """Return a commit on top of `head` with the changes of `commit`; no branch is moved.

        It is `head` itself where that holds all of them.

        Raises:
            ToolFailedError: git cannot merge.
        """
        return await self._onto(*_commits(commit, head))

    async def reworded(
        self, commit: str, subject: str, body: str = "", *, event_ids: Sequence[str] = ()
    ) -> str:
        """Return a commit of the same files on the same parent, with another message."""
        _commits(commit)
        shown = (await self._git().run("show", "-s", "--format=%T %P", commit)).text.split()
        message = format_message(subject, body, self.run_id, event_ids)
        return await self._commit_tree(shown[0], shown[1], message)

    async def advance(self, commit: str, expected: str) -> bool:
        """Have the run's branch point to `commit`; False where it does not point to `expected`."""
        _commits(commit, expected)
        moved = await self._git().ask("update-ref", self._ref, commit, expected)
        return not moved.exit_code

    async def move_work_tree(self, tree: WorkTree, commit: str) -> None:
        """Bring the files of another commit into a work tree; what is not git's stays.

        Raises:
            ToolFailedError: git cannot write them.
        """
        _commits(commit)
        git = self._git(tree)
        await git.run("read-tree", "-m", "-u", tree.base_commit, commit)

    async def changes(self, old: str, new: str) -> tuple[FileChange, ...]:
        """Return what differs between two commits, contents included.

        Raises:
            ToolFailedError: one is no commit.
        """
        options = ("-r", "-z", "--raw", "--no-renames", "--no-abbrev")
        raw = (await self._git().run("diff-tree", *options, *_commits(old, new))).stdout
        return tuple([await self._change(*one) for one in parse_raw_diff(raw)])

    async def _change(
        self, path: bytes, before: str | None, after: str | None, mode: int
    ) -> FileChange:
        return FileChange(
            path=path, before=await self._blob(before), after=await self._blob(after), mode=mode
        )

    async def _blob(self, name: str | None) -> bytes | None:
        if name is None:
            return None
        return (await self._git().run("cat-file", "blob", name)).stdout

    async def publish(self) -> str:
        """Give the user's repository the run's branch as it is now; return its commit.

        Raises:
            RepositoryError: the branch there is not what we left, or is checked out.
            ToolFailedError: git cannot hand it over.
        """
        head = await self.head()
        before = await self._published()
        if head != before:
            known = [f"^{self.facts.base_commit}", *([f"^{before}"] if before else [])]
            revisions = "\n".join([head, *known, ""]).encode()
            git = self._git()
            pack = await git.run("pack-objects", "--revs", "--stdout", "-q", stdin=revisions)
            if await self._repository.commit_of(self.branch) != head:  # else a crash came between
                await self._repository.receive(pack.stdout, self.branch, head, before)
            await git.run("update-ref", PUBLISHED, head)
        return head

    async def diff(self, old: str, new: str) -> str:
        """Return the difference of two commits as text; long ones are cut, which the end says.

        Raises:
            ToolFailedError: one is no commit.
        """
        found = await self._git().run("diff-tree", "-p", *_DIFF, *_commits(old, new))
        cut = found.stdout[:MAX_DIFF_BYTES]
        more = len(found.stdout) - len(cut)
        tail = f"\n[... {more} bytes left out ...]\n" if more else ""
        return cut.decode("utf-8", "backslashreplace") + tail

    async def changed_paths(self, old: str, new: str) -> tuple[bytes, ...]:
        """Return the names of the files that differ between two commits."""
        options = ("-r", "-z", "--name-only", "--no-renames")
        found = await self._git().run("diff-tree", *options, *_commits(old, new))
        return tuple(split_names(found.stdout))

    async def message(self, commit: str) -> str:
        """Return a commit's message."""
        shown = await self._git().run("show", "-s", "--format=%B", *_commits(commit))
        return shown.stdout.decode("utf-8", "replace")

    async def _store_files(self, git: Git) -> str:
        """Return a tree of the work tree's files, ignored ones left out."""
        options = ("--name-status", "-z", "--no-renames", "--ignore-submodules=all")
        changed = parse_name_status((await git.run("diff-files", *options)).stdout)
        new = split_names(
            (await git.run("ls-files", "--others", "-z", "--exclude-standard")).stdout
        )
        gone = [name for name, status in changed.items() if status == b"D"]
        there = [name for name in (*changed, *new) if name not in gone and self._is_content(name)]
        index = ("update-index", "-z")
        await git.run(*index, "--force-remove", "--stdin", stdin=_listed(gone))
        await git.run(*index, "--add", "--replace", "--stdin", stdin=_listed(there))
        return (await git.run("write-tree")).text

    def _is_content(self, name: bytes) -> bool:
        """Whether git shall take a file: not one of a repository inside this one."""
        inside = any(name.startswith(module + b"/") for module in self.facts.submodules)
        return is_storable(name) and not inside

    async def _onto(self, commit: str, head: str) -> str | Conflict:
        """Return a commit on top of `head` with the changes of `commit`."""
        git = self._git()
        parent = (await git.run("rev-parse", "--verify", f"{commit}^")).text
        if parent == head:
            return commit
        options = ("--write-tree", "--name-only", "--no-messages", "-z")
        merged = await git.ask("merge-tree", *options, head, commit)
        if merged.exit_code > 1:
            raise ToolFailedError(tool="git merge-tree", reason=merged.reason)
        tree, *paths = split_names(merged.stdout)
        if merged.exit_code:
            return Conflict(paths=tuple(paths))
        if tree.decode() == (await git.run("rev-parse", "--verify", f"{head}^{{tree}}")).text:
            return head
        return await self._commit_tree(tree.decode(), head, await self.message(commit))

    async def _commit_tree(self, tree: str, parent: str, message: str) -> str:
        name, email = self._config.author_name, self._config.author_email
        author = {
            "GIT_AUTHOR_NAME": name,
            "GIT_AUTHOR_EMAIL": email,
            "GIT_COMMITTER_NAME": name,
            "GIT_COMMITTER_EMAIL": email,
        }
        made = await self._git().run(
            "commit-tree", tree, "-p", parent, "-F", "-", stdin=message.encode(), environment=author
        )
        return made.text

    async def _published(self) -> str | None:
        found = await self._git().ask("rev-parse", "--verify", "--quiet", PUBLISHED)
        return found.text or None

    async def _furnish(self, tree: WorkTree) -> None:
        """Let commands in the work tree find a repository whose index is that of its files."""
        own = tree.root / ".git"
        git = Git(self._config, tree.root, git_directory=own, work_tree=tree.root)
        await git.run("update-ref", "HEAD", tree.base_commit)
        await git.run("config", "user.name", self._config.author_name)
        await git.run("config", "user.email", self._config.author_email)
        await asyncio.to_thread(shutil.copyfile, self._index(tree), own / "index")

    async def make_store(self) -> None:
        """Make the run's own repository, with its branch at the base, unless it is there."""
        if await asyncio.to_thread(self._store.exists):
            return
        await self._repository.check_branch(self.branch)
        unfinished = self._directory / f"{STORE}.part"
        await asyncio.to_thread(remove_directory, unfinished)
        await make_store(self._config, unfinished, self._repository.origin)
        git = Git(self._config, self._directory, git_directory=unfinished)
        await git.run("update-ref", self._ref, self.facts.base_commit)
        await asyncio.to_thread(unfinished.rename, self._store)

    def _borrowed(self) -> Origin:
        origin = self._repository.origin
        return Origin(
            object_directories=(self._store / "objects", *origin.object_directories),
            object_format=origin.object_format,
            shallow_file=origin.shallow_file,
        )

    def _git(self, tree: WorkTree | None = None) -> Git:
        if tree is None:
            return Git(self._config, self._directory, git_directory=self._store)
        return Git(
            self._config,
            tree.root,
            git_directory=self._store,
            work_tree=tree.root,
            index=self._index(tree),
        )

    def _index(self, tree: WorkTree) -> Path:
        return self._directory / INDEXES / tree.name

    @property
    def _ref(self) -> str:
        return f"refs/heads/{self.branch}"


async def open_run_repository(
    repository: Repository, directory: Path, run_id: str
) -> RunRepository:
    """Return the repository of a run, made where it is not there yet.

    Args:
        repository: of the user.
        directory: of the run, outside the user's checkout or ignored there.
        run_id: names the branch.

    Raises:
        RepositoryError: the run's branch cannot be made in the user's repository.
        ToolFailedError: git cannot make it.
    """
    await asyncio.to_thread(directory.mkdir, parents=True, exist_ok=True, mode=0o700)
    run = RunRepository(repository, await asyncio.to_thread(directory.resolve), run_id)
    await run.make_store()
    return run


def _commits(*commits: str) -> Sequence[str]:
    """Return arguments that git takes for commits and nothing else.

    Raises:
        ToolRefusedError: one is no commit's hash.
    """
    for commit in commits:
        if len(commit) not in (40, 64) or not set(commit) <= set("0123456789abcdef"):
            raise ToolRefusedError(tool="git", argument=commit, rule="not a commit's whole hash")
    return commits


def _listed(names: Iterable[bytes]) -> bytes:
    return b"".join(name + b"\0" for name in names)


def remove_directory(path: Path) -> None:
    """Remove a directory, also where a command took the right to from us; none is fine."""
    if path.is_symlink():
        path.unlink()
    elif path.exists():
        for folder, below, _ in os.walk(path):
            for name in below:
                inside = os.path.join(folder, name)  # names need not be text
                if not os.path.islink(inside):
                    os.chmod(inside, 0o700)
        shutil.rmtree(path)
