"""The run's repository: work goes on apart from the user's, who gets one branch in the end."""

import asyncio
import os
import stat
from pathlib import Path

import pytest

from cortex.errors import RepositoryError, ToolFailedError, ToolRefusedError
from cortex.tools.config import GitConfig
from cortex.tools.git_command import Git
from cortex.tools.git_names import parse_trailers
from cortex.tools.repository import Repository
from cortex.tools.run_repository import (
    Conflict,
    RunRepository,
    WorkTree,
    open_run_repository,
    remove_directory,
)
from tests.support.repositories import UserRepository, put_on_branch

EVENTS = ("01890000-0000-7000-8000-000000000001", "01890000-0000-7000-8000-000000000002")


@pytest.fixture
def user(tmp_path: Path) -> UserRepository:
    """A user's repository with one commit."""
    made = UserRepository(tmp_path / "user")
    made.commit({"a.txt": "one\ntwo\nthree\n", "d/b.txt": "b\n", ".gitignore": "*.log\n"})
    return made


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "home" / "work" / "r1"


async def start(user: UserRepository, place: Path, run_id: str = "r1") -> RunRepository:
    return await open_run_repository(await Repository.open(user.root), place, run_id)


async def committed(run: RunRepository, tree: WorkTree, subject: str = "Do it") -> str:
    commit = await run.commit(tree, subject, event_ids=EVENTS)
    assert commit is not None
    return commit


async def test_work_reaches_the_user_as_one_branch_and_nothing_else(
    user: UserRepository, place: Path
) -> None:
    """Checkout, index, branches, stash, reflog and settings are byte for byte as before."""
    user.write({"a.txt": "stashed\n"})
    user.git("stash")
    user.write({"a.txt": "dirty\n", "new.txt": "new\n"})
    user.git("add", "new.txt")
    before = user.state()
    run = await start(user, place)
    tree = await run.add_work_tree("coder-1")
    (tree.root / "a.txt").write_text("changed\n")
    await put_on_branch(run, await committed(run, tree))
    commit = await run.publish()
    remove_directory(place)
    assert user.state() == before
    assert user.git("rev-parse", "swarm/r1") == commit
    assert user.files_of("swarm/r1")["a.txt"] == b"changed\n"
    assert user.git("worktree", "list").count("\n") == 0
    assert user.git("fsck", "--strict") == ""
    assert os.listdir(place.parent) == []


async def test_commit_names_its_run_and_events_and_a_fixed_author(
    user: UserRepository, place: Path
) -> None:
    """Git's own reader of trailers finds them."""
    run = await start(user, place)
    tree = await run.add_work_tree("coder-1")
    (tree.root / "a.txt").write_text("changed\n")
    commit = await committed(run, tree)
    trailers = parse_trailers(await run.message(commit))
    assert (trailers.run_id, trailers.event_ids) == ("r1", EVENTS)
    await put_on_branch(run, commit)
    await run.publish()
    shown = user.git("log", "-1", "--format=%an <%ae>%n%(trailers:only)", "swarm/r1")
    assert shown.splitlines() == [
        "Enchanted Swarm <swarm@localhost>",
        "Swarm-Run: r1",
        *(f"Swarm-Event: {one}" for one in EVENTS),
    ]


async def test_every_kind_of_change_is_committed_and_ignored_files_are_not(
    user: UserRepository, place: Path
) -> None:
    """New, deleted, renamed, mode, link, directory to file, odd names, binary, empty."""
    run = await start(user, place)
    tree = await run.add_work_tree("coder-1")
    (tree.root / "d" / "b.txt").unlink()
    (tree.root / "d").rmdir()
    (tree.root / "d").write_bytes(b"now a file\n")
    (tree.root / "a.txt").rename(tree.root / "moved.txt")
    (tree.root / "moved.txt").chmod(0o755)
    (tree.root / "link").symlink_to("/etc/passwd")
    (tree.root / "x.log").write_text("ignored")
    (tree.root / "empty").touch()
    (tree.root / 'odd\n"name').write_bytes(bytes(range(256)))
    (tree.root / os.fsdecode(b"n\xff")).write_text("x")
    await put_on_branch(run, await committed(run, tree))
    await run.publish()
    found = user.files_of("swarm/r1")
    assert sorted(found) == sorted(
        [".gitignore", "d", "empty", "link", "moved.txt", "n\udcff", 'odd\n"name']
    )
    assert found["link"] == b"/etc/passwd"
    assert found['odd\n"name'] == bytes(range(256))
    modes = user.git("ls-tree", "swarm/r1", "moved.txt", "link")
    assert (modes.count("100755"), modes.count("120000")) == (1, 1)


async def test_untouched_work_tree_gives_no_commit(user: UserRepository, place: Path) -> None:
    """Touched is not changed."""
    run = await start(user, place)
    tree = await run.add_work_tree("coder-1")
    (tree.root / "a.txt").touch()
    assert await run.commit(tree, "Nothing") is None


async def test_changes_of_several_agents_are_merged_in_a_line(
    user: UserRepository, place: Path
) -> None:
    """Each one is on top of what was accepted before it."""
    run = await start(user, place)
    one, two = [await run.add_work_tree(name) for name in ("coder-1", "coder-2")]
    (one.root / "a.txt").write_text("ONE\ntwo\nthree\n")
    (two.root / "d" / "b.txt").write_text("B\n")
    for tree in (one, two):
        assert isinstance(await put_on_branch(run, await committed(run, tree)), str)
    await run.publish()
    found = user.files_of("swarm/r1")
    assert (found["a.txt"], found["d/b.txt"]) == (b"ONE\ntwo\nthree\n", b"B\n")
    assert user.git("rev-list", "--count", "main..swarm/r1") == "2"
    assert user.git("rev-list", "--merges", "--count", "swarm/r1") == "0"


async def test_rivals_both_get_onto_the_branch(user: UserRepository, place: Path) -> None:
    """Accepting at the same time loses nothing."""
    run = await start(user, place)
    commits = []
    for number in range(6):
        tree = await run.add_work_tree(f"coder-{number}")
        (tree.root / f"new-{number}").write_text("x")
        commits.append(await committed(run, tree))
    await asyncio.gather(*(put_on_branch(run, commit) for commit in commits))
    await run.publish()
    assert sum(name.startswith("new-") for name in user.files_of("swarm/r1")) == 6


async def test_conflict_is_named_and_changes_nothing(user: UserRepository, place: Path) -> None:
    """The branch stays where it was; the agent starts again from there."""
    run = await start(user, place)
    one, two = [await run.add_work_tree(name) for name in ("coder-1", "coder-2")]
    for tree, text in ((one, "ONE"), (two, "UNO")):
        (tree.root / "a.txt").write_text(f"{text}\ntwo\nthree\n")
    await put_on_branch(run, await committed(run, one))
    head = await run.head()
    assert await put_on_branch(run, await committed(run, two)) == Conflict(paths=(b"a.txt",))
    assert await run.head() == head


async def test_change_that_is_there_already_adds_no_commit(
    user: UserRepository, place: Path
) -> None:
    """Two agents with the same idea are one commit."""
    run = await start(user, place)
    trees = [await run.add_work_tree(name) for name in ("coder-1", "coder-2")]
    for tree in trees:
        (tree.root / "a.txt").write_text("same\n")
    first, second = [await put_on_branch(run, await committed(run, tree)) for tree in trees]
    assert second == first == await run.head()


async def test_run_goes_on_after_a_crash(user: UserRepository, place: Path) -> None:
    """Opened again it has its branch; publishing again is harmless, and goes on."""
    run = await start(user, place)
    tree = await run.add_work_tree("coder-1")
    (tree.root / "a.txt").write_text("first\n")
    await put_on_branch(run, await committed(run, tree))
    published = await run.publish()
    again = await start(user, place)
    assert await again.publish() == published
    tree = await again.add_work_tree("coder-1")
    assert (tree.root / "a.txt").read_text() == "first\n"
    (tree.root / "a.txt").write_text("second\n")
    await put_on_branch(again, await committed(again, tree))
    assert await again.publish() == user.git("rev-parse", "swarm/r1") != published


async def test_crash_between_branch_and_note_is_made_good(
    user: UserRepository, place: Path
) -> None:
    """The user's branch was moved, ours did not know yet."""
    run = await start(user, place)
    tree = await run.add_work_tree("coder-1")
    (tree.root / "a.txt").write_text("x\n")
    await put_on_branch(run, await committed(run, tree))
    published = await run.publish()
    store = Git(GitConfig(), place, git_directory=place / "repository.git")
    await store.run("update-ref", "-d", "refs/swarm/published")
    assert await run.publish() == published


async def test_branch_that_the_user_moved_is_left_alone(user: UserRepository, place: Path) -> None:
    """Said in one line; their branch is what they made of it."""
    run = await start(user, place)
    tree = await run.add_work_tree("coder-1")
    (tree.root / "a.txt").write_text("x\n")
    await put_on_branch(run, await committed(run, tree))
    user.git("branch", "swarm/r1", "main")
    with pytest.raises(RepositoryError, match="cannot be moved"):
        await run.publish()
    user.git("checkout", "-q", "swarm/r1")
    with pytest.raises(RepositoryError, match="is checked out"):
        await run.publish()
    assert user.git("rev-parse", "swarm/r1") == user.git("rev-parse", "main")


@pytest.mark.parametrize("taken", ["swarm/r1", "swarm"])
async def test_branch_that_is_taken_is_told_at_once(
    user: UserRepository, place: Path, taken: str
) -> None:
    """Before any work is done for nothing."""
    user.git("branch", taken)
    with pytest.raises(RepositoryError, match=f"has a branch `{taken}` already"):
        await start(user, place)


async def test_diff_and_names_for_the_reviewer(user: UserRepository, place: Path) -> None:
    """As git shows them; what is no commit's hash is refused, not handed to git."""
    run = await start(user, place)
    tree = await run.add_work_tree("coder-1")
    (tree.root / "a.txt").write_text("ONE\ntwo\nthree\n")
    commit = await committed(run, tree)
    assert await run.changed_paths(tree.base_commit, commit) == (b"a.txt",)
    assert "-one\n+ONE\n" in await run.diff(tree.base_commit, commit)
    with pytest.raises(ToolRefusedError):
        await run.diff("--output=/tmp/x", commit)


async def test_commands_find_a_repository_of_their_own(user: UserRepository, place: Path) -> None:
    """Whatever they do in it, neither the user's nor the run's is touched."""
    before = user.state()
    run = await start(user, place)
    tree = await run.add_work_tree("coder-1")
    inside = UserRepository.at(tree.root)
    assert inside.git("status", "--porcelain") == ""
    (tree.root / "a.txt").write_text("x\n")
    inside.git("commit", "-qam", "theirs")
    inside.git("config", "core.fsmonitor", "false")
    inside.git("branch", "-m", "other")
    commit = await committed(run, tree)
    assert await run.changed_paths(tree.base_commit, commit) == (b"a.txt",)
    assert user.state() == before


async def test_commands_find_what_was_accepted_before(user: UserRepository, place: Path) -> None:
    """The objects of the run are there as well as the user's."""
    run = await start(user, place)
    tree = await run.add_work_tree("coder-1")
    (tree.root / "a.txt").write_text("accepted\n")
    await put_on_branch(run, await committed(run, tree))
    later = UserRepository.at((await run.add_work_tree("coder-2")).root)
    assert later.git("status", "--porcelain") == ""
    assert later.show("HEAD:a.txt") == b"accepted\n"


async def test_work_tree_of_the_same_name_starts_anew(user: UserRepository, place: Path) -> None:
    """Also where a command took all rights from its directories."""
    run = await start(user, place)
    tree = await run.add_work_tree("coder-1")
    (tree.root / "locked").mkdir(mode=0)
    (tree.root / "a.txt").write_text("x")
    again = await run.add_work_tree("coder-1")
    assert again == tree
    assert (tree.root / "a.txt").read_text() == "one\ntwo\nthree\n"
    assert not (tree.root / "locked").exists()


async def test_repository_inside_the_work_tree_is_no_content(
    user: UserRepository, place: Path
) -> None:
    """A command that clones something gives no submodule."""
    run = await start(user, place)
    tree = await run.add_work_tree("coder-1")
    UserRepository(tree.root / "nested").commit({"x": "x"})
    (tree.root / "a.txt").write_text("x\n")
    commit = await committed(run, tree)
    assert await run.changed_paths(tree.base_commit, commit) == (b"a.txt",)


async def test_directory_exchanged_for_a_link_gives_the_link(
    user: UserRepository, place: Path, tmp_path: Path
) -> None:
    """What it points to is not read."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "b.txt").write_text("secret")
    run = await start(user, place)
    tree = await run.add_work_tree("coder-1")
    (tree.root / "d" / "b.txt").unlink()
    (tree.root / "d").rmdir()
    (tree.root / "d").symlink_to(tmp_path / "outside")
    commit = await committed(run, tree)
    assert await run.changed_paths(tree.base_commit, commit) == (b"d", b"d/b.txt")


async def test_git_that_hangs_is_stopped(user: UserRepository, tmp_path: Path) -> None:
    """A pipe in the place of a settings file holds nobody for ever."""
    (user.root / ".git" / "config").unlink()
    os.mkfifo(user.root / ".git" / "config")
    with pytest.raises(ToolFailedError, match="not done within"):
        await Git(GitConfig(seconds=0.3), user.root).run("rev-parse", "HEAD")


async def test_file_modes_of_the_commit_are_those_of_the_work_tree(
    user: UserRepository, place: Path
) -> None:
    """Executable stays executable, on the way there and back."""
    (user.root / "a.txt").chmod(0o755)
    user.commit({})
    run = await start(user, place)
    tree = await run.add_work_tree("coder-1")
    assert (tree.root / "a.txt").stat().st_mode & stat.S_IXUSR
    assert await run.commit(tree, "Nothing") is None


async def test_changes_of_a_commit_hold_contents_and_modes(
    user: UserRepository, place: Path
) -> None:
    """New, changed, deleted, executable, link; a rename is a deletion and a new file."""
    run = await start(user, place)
    tree = await run.add_work_tree("coder-1")
    (tree.root / "a.txt").rename(tree.root / "z.txt")
    (tree.root / "d" / "b.txt").chmod(0o755)
    (tree.root / "link").symlink_to("z.txt")
    commit = await committed(run, tree)
    found = {
        one.path: (one.before, one.after, one.mode)
        for one in await run.changes(tree.base_commit, commit)
    }
    lines = b"one\ntwo\nthree\n"
    assert found == {
        b"a.txt": (lines, None, 0),
        b"z.txt": (None, lines, 0o644),
        b"d/b.txt": (b"b\n", b"b\n", 0o755),
        b"link": (None, b"z.txt", stat.S_IFLNK),
    }


async def test_candidate_moves_no_branch_and_another_message_keeps_its_files(
    user: UserRepository, place: Path
) -> None:
    run = await start(user, place)
    tree = await run.add_work_tree("coder-1")
    (tree.root / "a.txt").write_text("x\n")
    candidate = await run.candidate(await committed(run, tree), tree.base_commit)
    assert isinstance(candidate, str)
    reworded = await run.reworded(candidate, "Another", "why", event_ids=EVENTS)
    assert (await run.message(reworded)).startswith("Another\n\nwhy\n\nSwarm-Run: r1\n")
    assert await run.changes(candidate, reworded) == ()
    assert await run.head() == tree.base_commit


async def test_branch_moves_only_from_where_it_is_expected(
    user: UserRepository, place: Path
) -> None:
    run = await start(user, place)
    tree = await run.add_work_tree("coder-1")
    (tree.root / "a.txt").write_text("x\n")
    commit = await committed(run, tree)
    assert not await run.advance(commit, commit)
    assert await run.head() == tree.base_commit
    assert await run.advance(commit, tree.base_commit)
    assert await run.head() == commit


async def test_work_tree_is_brought_to_another_commit_and_keeps_what_is_not_git_s(
    user: UserRepository, place: Path
) -> None:
    run = await start(user, place)
    tree, other = [await run.add_work_tree(name) for name in ("coder-1", "reviewer-1")]
    (tree.root / "a.txt").unlink()
    (tree.root / "new").write_text("x\n")
    (other.root / "made.log").write_text("by a check\n")
    await run.move_work_tree(other, await committed(run, tree))
    assert sorted(one.name for one in other.root.iterdir()) == [
        ".git",
        ".gitignore",
        "d",
        "made.log",
        "new",
    ]
