"""`swarm runs | timeline | show | diff | why | restore | fork` on a real stack."""

import asyncio
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import nervous_system as ns
from nervous_system import events
from tests.support.recorded import Files, Recorded, digest_of, files_below
from tests.support.stacks import Stack, running_stack

RUN = "run-travel"
LARGE = bytes(range(256)) * 4096 * 3 + b"end"
BASE: Files = {
    b"kept.txt": (b"from the start\n", 0o644),
    b"run.sh": (b"#!/bin/sh\necho hi\n", 0o755),
    b"gone.txt": (b"soon gone\n", 0o600),
    b"src/app.py": (b"one\ntwo\nthree\n", 0o644),
}


class Story:
    """What was recorded, and where."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.moments: dict[str, Files] = {}
        self.events: dict[str, str] = {}
        self.repository = stack.root.parent / "repository"

    def json(self, *arguments: str, expected: int = 0) -> Any:
        return self.stack.json(*arguments, expected=expected)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    with running_stack(tmp_path_factory.mktemp("travel") / "home") as stack:
        told = Story(stack)
        asyncio.run(tell(told))
        yield told


async def tell(story: Story) -> None:
    async with (
        ns.connect(home=story.stack.root) as swarm,
        swarm.agent("coder-1", role="coder", run_id=RUN, workspace_id="main") as agent,
    ):
        work = Recorded(agent, "main", dict(BASE))
        names = story.events
        names["start"] = await work.begin(swarm.content)
        receipt = await agent.decide(
            rationale="say it in capitals",
            rejected_alternatives=["leave it", "rewrite all"],
            memory_ids=["m-7"],
        )
        names["decision"] = receipt.event_id
        names["edit"] = await work.write(
            b"src/app.py", b"one\nTWO\nthree\n", caused_by=(receipt.event_id,)
        )
        names["binary"] = await work.write(b"data/blob.bin", LARGE, 0o640)
        names["empty"] = await work.write(b"data/empty", b"")
        names["odd"] = await work.write(b'od\xff d/\xe9\n"q\\.txt', b"\xff\x00not text")
        names["deleted"] = await work.delete(b"gone.txt")
        names["renamed"] = await work.rename(b"run.sh", b"bin/run")
        names["again"] = await work.write(b"bin/run", b"#!/bin/sh\necho ho\n", 0o755)
        child = Recorded(agent, "child", dict(work.files))
        await child.begin(swarm.content, parent_workspace_id="main", parent_event_id=names["again"])
        names["child"] = await child.write(b"src/app.py", b"zero\none\nTWO\nthree\n")
        work.files[b"kept.txt"] = (b"changed by hand\n", 0o644)
        names["after_break"] = await work.write(b"kept.txt", b"changed by hand\nand more\n")
        names["variable"] = (
            await agent.change_value("ENV_VAR", "MODE", before=None, after="fast", wait=True)
        ).event_id
        story.moments = work.moments | child.moments


@pytest.mark.parametrize(
    "name",
    ["start", "edit", "binary", "empty", "odd", "deleted", "renamed", "again", "child"],
)
def test_every_moment_comes_back_bit_for_bit(story: Story, tmp_path: Path, name: str) -> None:
    """Binary, empty, renamed and deleted files, odd names, modes; forks over their parents."""
    event = story.events[name]
    story.stack.swarm("restore", "--at", event, "--to", str(tmp_path / "there"))
    assert files_below(tmp_path / "there") == story.moments[event]


def test_a_restore_goes_nowhere_else(story: Story, tmp_path: Path) -> None:
    """What is there already is refused unless told, and stays."""
    (tmp_path / "mine").write_text("mine")
    done = story.stack.swarm(
        "restore", "--at", story.events["edit"], "--to", str(tmp_path), expected=1
    )
    assert "it is not empty" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    story.stack.swarm("restore", "--at", story.events["edit"], "--to", str(tmp_path), "--overwrite")
    assert (tmp_path / "mine").read_text() == "mine"
    assert (tmp_path / "src" / "app.py").read_bytes() == b"one\nTWO\nthree\n"


def test_a_moment_becomes_a_branch_beside_the_checkout(story: Story, tmp_path: Path) -> None:
    """The checkout, its index and its branch stay as they are."""
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "own.txt").write_text("own")
    event = story.events["again"]
    made = story.json("restore", "--at", event, "--branch", "back", "--repo", str(tmp_path))
    assert git(tmp_path, "status", "--porcelain") == b"?? own.txt\n"
    listed = git(tmp_path, "ls-tree", "-r", "-z", "back").split(b"\0")[:-1]
    found = {line.partition(b"\t")[2]: line.split()[0] for line in listed}
    wanted = story.moments[event]
    assert found == {
        path: b"100755" if mode & 0o100 else b"100644" for path, (_, mode) in wanted.items()
    }
    for path, (content, _) in wanted.items():
        assert git(tmp_path, "cat-file", "blob", b"back:" + path) == content
    assert git(tmp_path, "rev-parse", "back").decode().strip() == made["commit"]
    again = story.stack.swarm(
        "restore", "--at", event, "--branch", "back", "--repo", str(tmp_path), expected=1
    )
    assert "it exists already" in again.stderr


def test_show_lists_and_prints_what_was(story: Story) -> None:
    """A list of the workspace, the bytes of one file, nothing of what had gone."""
    listed = story.json("show", "--at", story.events["again"])
    assert {one["resource"] for one in listed["resources"]} == {
        name.decode("utf-8", "backslashreplace") for name in story.moments[story.events["again"]]
    }
    assert listed["breaks"] == []
    done = story.stack.swarm("show", "src/app.py", "--at", story.events["edit"])
    assert done.stdout == "one\nTWO\nthree\n"
    story.stack.swarm("show", "gone.txt", "--at", story.events["deleted"], expected=1)


def test_moments_are_named_by_id_prefix_sequence_and_time(story: Story) -> None:
    """A time needs a run or a workspace."""
    event = story.events["edit"]
    (row,) = story.json(
        "sql", f"select stream_seq, event_time from swarm.events where event_id = '{event}'"
    )
    listed = story.json("show", "--at", event)
    assert story.json("show", "--at", event[:35]) == listed
    assert story.json("show", "--at", f"#{row['stream_seq']}") == listed
    at_time = ["--at", row["event_time"]]
    assert story.json("show", *at_time, "--workspace", "main") == listed
    assert "needs --run or --workspace" in story.stack.swarm("show", *at_time, expected=1).stderr


def test_a_change_from_outside_is_shown(story: Story) -> None:
    """By show, timeline and restore; nothing passes it over."""
    listed = story.json("show", "--at", story.events["after_break"])
    (broken,) = listed["breaks"]
    assert broken["resource"] == "kept.txt"
    assert broken["expected_digest"] == digest_of(b"from the start\n")
    assert broken["event_id"] == story.events["after_break"]
    events = story.json("timeline", "kept.txt", "--workspace", "main")
    assert [one["kind"] for one in events] == ["chain_break", "state_change"]
    assert "changed outside the swarm" in story.stack.swarm("timeline", RUN).stdout


def test_a_diff_shows_what_changed_between_two_moments(story: Story) -> None:
    """Also between a fork and its parent."""
    found = story.json("diff", story.events["start"], story.events["again"])
    assert {one["resource"]: one["change"] for one in found if one["resource"].isascii()} == {
        "bin/run": "added",
        "data/blob.bin": "added",
        "data/empty": "added",
        "gone.txt": "deleted",
        'od\\xff d/\\xe9\n"q\\.txt': "added",
        "run.sh": "deleted",
        "src/app.py": "modified",
    }
    done = story.stack.swarm("diff", story.events["again"], story.events["child"])
    assert "+zero\n" in done.stdout


def test_why_names_the_change_and_the_decision_behind_a_line(story: Story) -> None:
    """With what was not done, and what was remembered; other lines came with the start."""
    found = story.json("why", "src/app.py:2", "--workspace", "main")
    assert found["change"]["event_id"] == story.events["edit"]
    assert found["decision"]["event_id"] == story.events["decision"]
    assert found["rejected_alternatives"] == ["leave it", "rewrite all"]
    assert found["memory_ids"] == ["m-7"]
    assert found["text"] == "TWO"
    first = story.json("why", "src/app.py:1", "--workspace", "main")
    assert (first["written_by"], first["change"]) == ("start", None)


def test_why_follows_a_line_into_the_parent_and_across_a_break(story: Story) -> None:
    """A fork's line 3 is its parent's line 2; what came by hand is said to."""
    inherited = story.json("why", "src/app.py:3", "--workspace", "child")
    assert inherited["change"]["event_id"] == story.events["edit"]
    assert story.json("why", "kept.txt:1", "--workspace", "main")["written_by"] == "outside"
    done = story.stack.swarm("why", "src/app.py:9", "--workspace", "main", expected=1)
    assert "has 3 lines, not 9" in done.stderr


def test_a_fork_starts_from_the_moment_and_goes_its_own_way(story: Story, tmp_path: Path) -> None:
    """It prints the new run's id, which stands for its workspace too."""
    run = story.stack.swarm("fork", "--at", story.events["again"]).stdout.strip()
    asyncio.run(change_in(story.stack, run))
    story.stack.swarm("restore", "--at", "now", "--run", run, "--to", str(tmp_path / "fork"))
    expected = dict(story.moments[story.events["again"]])
    expected[b"kept.txt"] = (b"another way\n", 0o644)
    assert files_below(tmp_path / "fork") == expected
    assert run in {one["run_id"] for one in story.json("runs")}


def test_content_that_was_not_kept_is_listed(story: Story, tmp_path: Path) -> None:
    """Nothing is written then, unless the rest is asked for."""
    event = publish_unkept(story.stack)
    target = tmp_path / "there"
    done = story.stack.swarm("restore", "--at", event, "--to", str(target), expected=1)
    assert "not restored: lost.txt: " in done.stderr
    assert "not restored: ../outside: its name leads out of the workspace" in done.stderr
    assert not target.exists()
    made = story.json("restore", "--at", event, "--to", str(target), "--partial")
    assert {one["resource"] for one in made["not_restored"]} == {"lost.txt", "../outside"}
    assert list(target.iterdir()) == []


async def change_in(stack: Stack, run: str) -> None:
    async with (
        ns.connect(home=stack.root) as swarm,
        swarm.agent("coder-2", role="coder", run_id=run) as agent,
    ):
        await agent.change_file(
            "kept.txt", before=b"from the start\n", after=b"another way\n", mode=0o644, wait=True
        )


def publish_unkept(stack: Stack) -> str:
    change = {"targetType": "FILE_SYSTEM", "newStateHash": "a" * 64, "isReversible": True}
    lines = [
        {
            "agentRole": "ROLE_CODER",
            "agentId": "plain",
            "workspaceId": "plain",
            "stateChange": {**change, "targetResource": name},
        }
        for name in ("lost.txt", "../outside")
    ]
    done = stack.swarm("publish", "--json", stdin="".join(json.dumps(one) + "\n" for one in lines))
    return str(json.loads(done.stdout)[-1]["event_id"])


def git(repository: Path, *arguments: str | bytes) -> bytes:
    return subprocess.run(
        ["git", "-C", str(repository), *arguments], check=True, capture_output=True
    ).stdout


async def test_workspace_known_by_its_commit_says_where_the_rest_is(
    story: Story, tmp_path: Path
) -> None:
    """Its unchanged files were never recorded: one line, nothing written, and what helps."""
    commit = "1234567890" * 4
    async with (
        ns.connect(home=story.stack.root) as swarm,
        swarm.agent("coder-9", role="coder", run_id="bare", workspace_id="bare") as agent,
    ):
        created = events.workspace_created("bare", base_commit=commit)
        await agent.emit(created, wait=True, workspace_id="bare")
        receipt = await agent.change_file("a.py", before=b"1\n", after=b"2\n", wait=True)
    to = ["restore", "--at", receipt.event_id, "--to", str(tmp_path / "to")]
    refused = await asyncio.to_thread(lambda: story.stack.swarm(*to, expected=1))
    [line] = refused.stderr.splitlines()
    assert f"only their commit {commit} is recorded: `--branch NAME --repo PATH`" in line
    assert "--partial restores the 1 that were changed" in line
    assert not (tmp_path / "to").exists()
    await asyncio.to_thread(story.stack.swarm, *to, "--partial")
    assert files_below(tmp_path / "to") == {b"a.py": (b"2\n", 0o644)}
