"""Repositories that want to run something, or are in a state that nobody expects."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from cortex.errors import RepositoryError
from cortex.tools.repository import Repository
from cortex.tools.run_repository import open_run_repository, remove_directory
from tests.support.repositories import UserRepository, put_on_branch

HOOKS = (
    "applypatch-msg",
    "commit-msg",
    "fsmonitor-watchman",
    "post-applypatch",
    "post-checkout",
    "post-commit",
    "post-index-change",
    "post-merge",
    "post-receive",
    "post-rewrite",
    "post-update",
    "pre-applypatch",
    "pre-auto-gc",
    "pre-commit",
    "pre-merge-commit",
    "pre-push",
    "pre-rebase",
    "pre-receive",
    "prepare-commit-msg",
    "proc-receive",
    "push-to-checkout",
    "reference-transaction",
    "sendemail-validate",
    "update",
)
COMMANDS = (
    "alias.commit-tree",
    "alias.status",
    "core.alternateRefsCommand",
    "core.askPass",
    "core.editor",
    "core.fsmonitor",
    "core.pager",
    "core.sshCommand",
    "credential.helper",
    "diff.evil.command",
    "diff.evil.textconv",
    "diff.external",
    "filter.evil.clean",
    "filter.evil.process",
    "filter.evil.smudge",
    "gpg.program",
    "merge.evil.driver",
    "pager.diff",
    "remote.origin.uploadpack",
    "sequence.editor",
    "uploadpack.packObjectsHook",
)


@pytest.fixture
def user(tmp_path: Path) -> UserRepository:
    made = UserRepository(tmp_path / "user")
    made.commit({"a.txt": "one\ntwo\nthree\n", "d/b.txt": "b\n"})
    return made


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "home" / "r1"


async def work(user: UserRepository, place: Path, *, name: str = "a.txt") -> dict[str, bytes]:
    """Do all that a run does, two agents included, and return what the user gets."""
    run = await open_run_repository(await Repository.open(user.root), place, "r1")
    trees = [await run.add_work_tree(agent) for agent in ("coder-1", "coder-2")]
    for number, tree in enumerate(trees):
        path = tree.root / name
        lines = path.read_text().splitlines(keepends=True)
        lines[-number] = f"line {number}\n"
        path.write_text("".join(lines))
        commit = await run.commit(tree, "Change")
        assert commit is not None
        await run.diff(tree.base_commit, commit)
        await put_on_branch(run, commit)
    await run.publish()
    remove_directory(place)
    return user.files_of("swarm/r1")


async def test_nothing_that_a_repository_names_is_run(
    user: UserRepository, place: Path, tmp_path: Path
) -> None:
    """Hooks, settings that are commands, filters, drivers, aliases: none leaves its mark."""
    mark = tmp_path / "mark"
    evil = tmp_path / "evil"
    evil.write_text(f"#!/bin/sh\necho $0 $* >> {mark}\ncat\n")
    evil.chmod(0o755)
    attributes = "* filter=evil diff=evil merge=evil\n"
    user.commit({".gitattributes": attributes, "a.txt": "one\ntwo\nthree\n"})
    for hook in HOOKS:
        (user.root / ".git" / "hooks" / hook).symlink_to(evil)
    for command in COMMANDS:
        value = "!" if command.startswith("alias.") else ""
        user.git("config", command, f"{value}{evil}")
    user.git("config", "commit.gpgSign", "true")
    user.git("config", "filter.evil.required", "true")
    user.git("config", "core.hooksPath", str(user.root / ".git" / "hooks"))
    (user.root / ".git" / "info" / "attributes").write_text(attributes)
    user.write({"a.txt": "ONE\ntwo\nthree\n"})
    before = user.state()
    found = await work(user, place)
    assert found["a.txt"].startswith(b"line 0\n")
    assert not mark.exists()
    assert user.state() == before


async def test_settings_from_another_file_are_not_followed_to_a_command(
    user: UserRepository, place: Path, tmp_path: Path
) -> None:
    """An include is a setting like any other."""
    mark = tmp_path / "mark"
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    (hooks / "reference-transaction").write_text(f"#!/bin/sh\ntouch {mark}\n")
    (hooks / "reference-transaction").chmod(0o755)
    (tmp_path / "more").write_text(f"[core]\n hooksPath = {hooks}\n")
    user.git("config", "include.path", str(tmp_path / "more"))
    await work(user, place)
    assert not mark.exists()


async def test_files_come_and_go_byte_for_byte_whatever_the_attributes_say(
    user: UserRepository, place: Path
) -> None:
    """No conversion of line ends, identifiers or encodings."""
    user.commit({".gitattributes": "*.txt text eol=crlf ident\n", "c.txt": "one\ntwo $Id$\n"})
    run = await open_run_repository(await Repository.open(user.root), place, "r1")
    tree = await run.add_work_tree("coder-1")
    assert (tree.root / "c.txt").read_bytes() == user.show("HEAD:c.txt") == b"one\ntwo $Id$\n"
    (tree.root / "c.txt").write_bytes(b"one\r\ntwo\r\n")
    commit = await run.commit(tree, "Change")
    assert commit is not None
    await put_on_branch(run, commit)
    await run.publish()
    assert user.show("swarm/r1:c.txt") == b"one\r\ntwo\r\n"


async def test_links_in_the_tree_are_made_and_not_followed(
    user: UserRepository, place: Path, tmp_path: Path
) -> None:
    """A link to outside is content, and nothing is written through it."""
    (tmp_path / "outside").mkdir()
    (user.root / "link").symlink_to(tmp_path / "outside")
    user.commit({})
    run = await open_run_repository(await Repository.open(user.root), place, "r1")
    tree = await run.add_work_tree("coder-1")
    assert os.readlink(tree.root / "link") == str(tmp_path / "outside")
    assert os.listdir(tmp_path / "outside") == []


async def test_submodule_stays_as_it_is(user: UserRepository, place: Path, tmp_path: Path) -> None:
    """It is told, not cloned, and what an agent puts there is not committed."""
    UserRepository(tmp_path / "module").commit({"x": "x"})
    user.git("submodule", "--quiet", "add", str(tmp_path / "module"), "sub")
    user.commit({})
    module = user.git("rev-parse", "HEAD:sub")
    repository = await Repository.open(user.root)
    assert repository.facts.submodules == (b"sub",)
    assert repository.facts.notices == ("submodules stay empty and as they are: sub",)
    run = await open_run_repository(repository, place, "r1")
    tree = await run.add_work_tree("coder-1")
    (tree.root / "sub" / "y").write_text("y")
    (tree.root / "a.txt").write_text("x\n")
    commit = await run.commit(tree, "Change")
    assert commit is not None
    assert await run.changed_paths(tree.base_commit, commit) == (b"a.txt",)
    await put_on_branch(run, commit)
    await run.publish()
    assert user.git("rev-parse", "swarm/r1:sub") == module


async def test_detached_head_is_told_and_worked_from(user: UserRepository, place: Path) -> None:
    """The commit that is checked out is the base."""
    first = user.git("rev-parse", "HEAD")
    user.commit({"later": "x"})
    user.git("checkout", "-q", "--detach", first)
    facts = (await Repository.open(user.root)).facts
    assert (facts.branch, facts.base_commit) == (None, first)
    assert facts.notices == (f"no branch is checked out: work starts from {first[:12]}",)
    assert "later" not in await work(user, place)


async def test_dirty_checkout_is_told_and_left_out(user: UserRepository, place: Path) -> None:
    """Work starts from the commit; what is touched only is not dirty."""
    user.write({"a.txt": "dirty\n", "new": "x"})
    (user.root / "d" / "b.txt").touch()
    facts = (await Repository.open(user.root)).facts
    assert facts.uncommitted == (b"a.txt", b"new")
    assert "a.txt, new are not committed" in facts.notices[0]
    assert b"dirty" not in (await work(user, place))["a.txt"]


async def test_shallow_clone_is_worked_on(user: UserRepository, place: Path) -> None:
    """The commits that are not there are not missed."""
    user.commit({"later": "x"})
    user.git("clone", "-q", "--depth=1", f"file://{user.root}", str(user.root.parent / "shallow"))
    shallow = UserRepository.at(user.root.parent / "shallow")
    assert (await Repository.open(shallow.root)).facts.is_shallow
    assert (await work(shallow, place))["a.txt"].startswith(b"line 0")


async def test_no_user_need_be_configured(user: UserRepository, place: Path) -> None:
    """The swarm has a name of its own."""
    user.git("config", "--unset", "user.name")
    user.git("config", "--unset", "user.email")
    await work(user, place)
    assert user.git("log", "-1", "--format=%cn", "swarm/r1") == "Enchanted Swarm"


async def test_work_tree_of_the_users_is_as_good_as_the_first(
    user: UserRepository, place: Path
) -> None:
    """Its own branch is the base; the other checkouts are untouched."""
    user.git("worktree", "add", "-q", "-b", "side", str(user.root / "inside"))
    side = UserRepository.at(user.root / "inside")
    side.commit({"side": "x"})
    before = user.state()
    facts = (await Repository.open(side.root)).facts
    assert (facts.branch, facts.root) == ("side", side.root)
    assert "side" in await work(side, place)
    assert user.state() == before


async def test_directory_below_the_root_stands_for_the_repository(user: UserRepository) -> None:
    """As git itself takes it."""
    assert (await Repository.open(user.root / "d")).facts.root == user.root


async def test_repository_of_the_other_hash_is_worked_on(tmp_path: Path, place: Path) -> None:
    """SHA-256 as well as SHA-1."""
    user = UserRepository(tmp_path / "user256", "--object-format=sha256")
    user.commit({"a.txt": "one\ntwo\nthree\n"})
    assert (await work(user, place))["a.txt"].startswith(b"line 0")


async def test_path_with_odd_characters_is_worked_on(tmp_path: Path) -> None:
    """Quotes, line ends and what is not UTF-8 in the names of directories."""
    user = UserRepository(tmp_path / '"odd\n' / "na me")
    user.commit({"a.txt": "one\ntwo\nthree\n"})
    assert (await work(user, tmp_path / "ho\nme" / "r1"))["a.txt"].startswith(b"line 0")


async def test_objects_borrowed_from_elsewhere_are_found(
    user: UserRepository, tmp_path: Path, place: Path
) -> None:
    """A clone that shares its objects with another repository."""
    user.git("clone", "-q", "--shared", str(user.root), str(tmp_path / "shared"))
    shared = UserRepository.at(tmp_path / "shared")
    assert (await work(shared, place))["a.txt"].startswith(b"line 0")


async def test_index_of_several_files_is_read(user: UserRepository) -> None:
    """Split indexes and sparse ones are no reason to refuse."""
    user.git("update-index", "--split-index")
    user.write({"a.txt": "dirty\n"})
    assert (await Repository.open(user.root)).facts.uncommitted == (b"a.txt",)


def make_nothing(root: Path) -> None:
    root.mkdir()


def make_empty(root: Path) -> None:
    UserRepository(root)


def make_bare(root: Path) -> None:
    UserRepository(root, "--bare")


def make_conflict(root: Path) -> None:
    user = UserRepository(root)
    base = user.commit({"a.txt": "base\n"})
    user.commit({"a.txt": "ours\n"})
    user.git("checkout", "-qb", "other", base)
    user.commit({"a.txt": "theirs\n"})
    with pytest.raises(subprocess.CalledProcessError):
        user.git("merge", "-q", "main")


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (make_nothing, "not a git repository"),
        (make_empty, "has no commit yet: commit something"),
        (make_bare, "is bare: there is no checkout: clone it"),
        (make_conflict, "a.txt is in conflict: finish the merge"),
    ],
)
async def test_what_cannot_be_worked_on_is_refused_with_the_way_out(
    tmp_path: Path, make: Callable[[Path], None], told: str
) -> None:
    """One line says what is wrong and what to do."""
    root = tmp_path / "it"
    make(root)
    with pytest.raises(RepositoryError, match=told) as caught:
        await Repository.open(root)
    assert "\n" not in str(caught.value)


async def test_git_directory_and_missing_path_are_refused(user: UserRepository) -> None:
    """Neither is a checkout."""
    with pytest.raises(RepositoryError, match="git's own files"):
        await Repository.open(user.root / ".git")
    with pytest.raises(RepositoryError, match="no such directory"):
        await Repository.open(user.root / "none")
