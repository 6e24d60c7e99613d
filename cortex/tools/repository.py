"""The user's repository: looked at, and at the end given one branch. Nothing else in it changes.

What would run filters or read settings of the repository is asked of a repository of our own that
borrows its objects and a copy of its index.
"""

import asyncio
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from cortex.errors import RepositoryError, ToolFailedError
from cortex.tools.config import GitConfig
from cortex.tools.git_command import Git, GitResult
from cortex.tools.git_names import parse_submodules, split_names
from cortex.tools.git_store import Origin, make_store
from cortex.tools.paths import shown

MIN_VERSION = (2, 38)
"""The first git that merges without a work tree."""
SHOWN_NAMES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryFacts:
    """What a repository was when it was opened."""

    root: Path
    """The user's checkout."""
    common_directory: Path
    """Where git keeps branches and objects."""
    base_commit: str
    """What work starts from: the commit that was checked out."""
    branch: str | None
    """The user's branch; None where none is checked out."""
    uncommitted: tuple[bytes, ...]
    """Files whose changes are not committed, new ones among them."""
    submodules: tuple[bytes, ...]
    is_shallow: bool
    comparison_failure: str = ""
    """Why the checkout could not be compared; empty where it was."""

    @property
    def notices(self) -> tuple[str, ...]:
        """What the user should know before work starts, a line each."""
        found = []
        if self.uncommitted:
            found.append(
                f"{_named(self.uncommitted)} not committed: work starts from "
                f"{self.base_commit[:12]} and does not see that"
            )
        if self.submodules:
            found.append(f"submodules stay empty and as they are: {_few(self.submodules)}")
        if self.comparison_failure:
            found.append(f"the checkout could not be compared: {self.comparison_failure}")
        if self.branch is None:
            found.append(f"no branch is checked out: work starts from {self.base_commit[:12]}")
        return tuple(found)


class Repository:
    """A repository that can be worked on; made by `open`."""

    def __init__(self, config: GitConfig, facts: RepositoryFacts, origin: Origin) -> None:
        self.config = config
        self.facts = facts
        self.origin = origin
        self._git = Git(config, facts.root, git_directory=facts.common_directory)

    @classmethod
    async def open(cls, path: Path, config: GitConfig | None = None) -> "Repository":
        """Look at the repository at `path`, or above it.

        Raises:
            RepositoryError: it is none, bare, without a commit or amid a conflict; says what to do.
        """
        git_config = config or GitConfig()
        if not await asyncio.to_thread(path.is_dir):
            raise RepositoryError(
                path=str(path), reason="no such directory", fix="give that of a git repository"
            )
        look = _Look(git_config, path)
        try:
            return await look.open()
        except ToolFailedError as error:
            raise RepositoryError(
                path=str(path), reason=error.reason, fix="see `git status` there"
            ) from error

    async def check_branch(self, branch: str, *, may_exist: bool = False) -> None:
        """Check that a branch of this name can be made.

        Raises:
            RepositoryError: it exists, or one that stands in its way.
        """
        above = branch.rpartition("/")[0]
        taken = [] if may_exist else [branch]
        for name in [*taken, *([above] if above else [])]:
            found = await self._git.ask("show-ref", "--verify", "--quiet", f"refs/heads/{name}")
            if not found.exit_code:
                raise self._refused(
                    f"has a branch `{name}` already", f"rename it: git branch -m {name} NEW"
                )

    async def has_checked_out(self, branch: str) -> bool:
        """Return whether the user works on this branch, here or in another work tree."""
        listed = await self._git.run("worktree", "list", "--porcelain", "-z")
        return f"branch refs/heads/{branch}".encode() in split_names(listed.stdout)

    async def receive(self, pack: bytes, branch: str, commit: str, expected: str | None) -> None:
        """Take objects in and have `branch` point to `commit`.

        Args:
            pack: the objects that are new.
            branch: its name.
            commit: what it points to from now on.
            expected: what it must point to now; None: it must not exist.

        Raises:
            RepositoryError: the branch is not what is expected, or is checked out.
        """
        if await self.has_checked_out(branch):
            raise self._refused(f"`{branch}` is checked out", "check out another branch")
        await self._git.run("unpack-objects", "-q", stdin=pack)
        moved = await self._git.ask(
            "update-ref",
            "--no-deref",
            "-m",
            "swarm",
            f"refs/heads/{branch}",
            commit,
            expected or "0" * len(commit),
        )
        if moved.exit_code:
            raise self._refused(f"`{branch}` cannot be moved: {moved.reason}", "leave it alone")

    async def commit_of(self, branch: str) -> str | None:
        """Return what a branch points to; None where it does not exist."""
        found = await self._git.ask(
            "rev-parse",
            "--verify",
            "--quiet",
            "--end-of-options",
            f"refs/heads/{branch}^{{commit}}",
        )
        return found.text or None

    def _refused(self, reason: str, fix: str) -> RepositoryError:
        return RepositoryError(path=str(self.facts.root), reason=reason, fix=fix)


class _Look:
    """The questions that `Repository.open` asks, in their order."""

    def __init__(self, config: GitConfig, path: Path) -> None:
        self._config = config
        self._path = path
        self._git = Git(config, path)

    async def open(self) -> Repository:
        await self._check_version()
        git_directory, common = await self._places()
        root = Path((await self._ask_root("--show-toplevel")).text)
        base = await self._base_commit()
        origin = await self._origin(common)
        failure = ""
        uncommitted: tuple[bytes, ...] = ()
        try:
            uncommitted = await self._uncommitted(root, git_directory, origin, base)
        except ToolFailedError as error:  # an index of a kind that only its own repository reads
            failure = error.reason
        tree = await self._git.run("ls-tree", "-r", "-z", "--full-tree", base)
        head = await self._git.ask("symbolic-ref", "--quiet", "--short", "HEAD")
        facts = RepositoryFacts(
            root=root,
            common_directory=common,
            base_commit=base,
            branch=head.text or None,
            uncommitted=uncommitted,
            submodules=parse_submodules(tree.stdout),
            is_shallow=origin.shallow_file is not None,
            comparison_failure=failure,
        )
        return Repository(self._config, facts, origin)

    async def _check_version(self) -> None:
        told = (await self._git.run("version")).text.split()[2]
        numbers = tuple(int(part) for part in told.split(".")[:2])
        if numbers < MIN_VERSION:
            wanted = ".".join(map(str, MIN_VERSION))
            raise self._refused(f"git is {told}", f"install git {wanted} or newer")

    async def _places(self) -> tuple[Path, Path]:
        found = await self._git.ask("rev-parse", "--is-bare-repository", "--is-inside-work-tree")
        if found.exit_code:
            raise self._refused(found.reason, "give a git repository of yours, or `git init` one")
        is_bare, is_inside = found.text.split("\n")
        if is_bare == "true":
            raise self._refused("is bare: there is no checkout", "clone it and give the clone")
        if is_inside != "true":
            raise self._refused("is inside of git's own files", "give the checkout's directory")
        own = await self._ask_root("--absolute-git-dir")
        common = await self._ask_root("--path-format=absolute", "--git-common-dir")
        return Path(own.text), Path(common.text)

    async def _ask_root(self, *options: str) -> GitResult:
        return await self._git.run("rev-parse", *options)

    async def _base_commit(self) -> str:
        found = await self._git.ask("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
        if found.exit_code:
            raise self._refused("has no commit yet", "commit something: work starts from there")
        return found.text

    async def _origin(self, common: Path) -> Origin:
        kind = (await self._ask_root("--show-object-format")).text
        objects = await self._ask_root("--path-format=absolute", "--git-path", "objects")
        shallow = common / "shallow"
        return Origin(
            object_directories=(Path(objects.text),),
            object_format=kind,
            shallow_file=shallow if await asyncio.to_thread(shallow.exists) else None,
        )

    async def _uncommitted(
        self, root: Path, git_directory: Path, origin: Origin, base: str
    ) -> tuple[bytes, ...]:
        """Compare the checkout, by a repository of our own: filters would be run in the user's.

        Raises:
            RepositoryError: files are in conflict.
        """
        with TemporaryDirectory(prefix="swarm-", ignore_cleanup_errors=True) as place:
            own, index = Path(place) / "own.git", Path(place) / "index"
            await make_store(self._config, own, origin)
            await asyncio.to_thread(_copy_index, git_directory, own, index)
            exclude = git_directory / "info" / "exclude"
            git = Git(self._config, root, git_directory=own, work_tree=root, index=index)
            await git.run("update-ref", "--no-deref", "HEAD", base)
            conflicts = split_names((await git.run("ls-files", "--unmerged", "-z")).stdout)
            if conflicts:
                names = sorted({entry.partition(b"\t")[2] for entry in conflicts})
                raise self._refused(
                    f"{_named(names)} in conflict", "finish the merge, or `git merge --abort`"
                )
            await git.ask("update-index", "-q", "--refresh")  # of the copy: touched is not changed
            changed = await git.run("diff-index", "--name-only", "-z", *_QUIETLY, base)
            new = await git.run("ls-files", "--others", "-z", *_excluding(exclude))
        return tuple(sorted({*split_names(changed.stdout), *split_names(new.stdout)}))

    def _refused(self, reason: str, fix: str) -> RepositoryError:
        return RepositoryError(path=str(self._path), reason=reason, fix=fix)


_QUIETLY = ("--no-renames", "--no-ext-diff", "--ignore-submodules=all")


def _excluding(exclude: Path) -> list[str]:
    options = ["--exclude-standard", "--directory", "--no-empty-directory"]
    return [*options, f"--exclude-from={exclude}"] if exclude.is_file() else options


def _copy_index(git_directory: Path, own: Path, index: Path) -> None:
    """Copy the index with what it refers to; a repository without one has an empty one."""
    source = git_directory / "index"
    if source.exists():
        shutil.copyfile(source, index)
    for shared in git_directory.glob("sharedindex.*"):
        shutil.copyfile(shared, own / shared.name)


def _named(names: Sequence[bytes]) -> str:
    return f"{_few(names)} {'is' if len(names) == 1 else 'are'}"


def _few(names: Sequence[bytes]) -> str:
    """Return the first few of `names`, and how many more there are."""
    listed = ", ".join(map(shown, names[:SHOWN_NAMES]))
    more = len(names) - SHOWN_NAMES
    return f"{listed} and {more} more" if more > 0 else listed
