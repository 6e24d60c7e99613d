"""`swarm run` on the bundled repository, once; then everything that can be asked about it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cortex.tools.git_names import parse_trailers
from tests.support.jobs import archived, harbour, unpacked
from tests.support.repositories import UserRepository
from tests.support.stacks import Stack, running_stack


@dataclass(frozen=True, slots=True)
class Job:
    """One run and what came of it."""

    stack: Stack
    user: UserRepository
    before: dict[str, Any]
    outcome: dict[str, Any]

    @property
    def run_id(self) -> str:
        return str(self.outcome["run_id"])

    def commits(self) -> list[str]:
        """Return the branch's commits, oldest first."""
        return self.user.git("rev-list", "--reverse", f"main..{self.outcome['branch']}").split()


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Job]:
    folder = tmp_path_factory.mktemp("job")
    user = harbour(folder / "harbour")
    user.write({"notes.txt": "not committed\n"})
    with running_stack(folder / "home") as stack:
        before = user.state()
        outcome = stack.json("run", "fix all lint findings", "--repo", str(user.root), "--no-tests")
        yield Job(stack, user, before, outcome)


def test_outcome_says_what_was_done_and_what_not(job: Job) -> None:
    outcome = job.outcome
    assert outcome["branch"] == f"swarm/{job.run_id}"
    assert {"task", "commit", "files", "event_ids"} <= set(outcome["accepted"][0])
    assert [one["commit"] for one in outcome["accepted"]] == job.commits()
    refused = {one["task"]: one["reason"] for one in outcome["refused"]}
    assert "no safe fix is known" in refused["plan"]
    assert "E712" in refused["careful:harbour/berths.py"]


def test_user_s_repository_gets_a_branch_and_nothing_else(job: Job) -> None:
    """Checkout, index, settings and the other branches are byte for byte as they were."""
    assert job.user.state() == job.before
    assert job.user.git("branch", "--format=%(refname:short)").split() == [
        "main",
        f"swarm/{job.run_id}",
    ]
    assert job.user.git("fsck", "--strict") == ""


def test_findings_are_gone_or_told_with_the_reason(job: Job, tmp_path: Path) -> None:
    job.user.git("worktree", "add", "-q", str(tmp_path / "tree"), job.outcome["branch"])
    try:
        command = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "E7,F"]
        command += ["--output-format", "json"]
        done = subprocess.run(command, cwd=tmp_path / "tree", capture_output=True, check=False)
    finally:
        job.user.git("worktree", "remove", "--force", str(tmp_path / "tree"))
    left = json.loads(done.stdout)
    assert len(left) < 6  # of 27
    told = [one["reason"] for one in job.outcome["refused"]]
    for finding in left:
        name = Path(finding["filename"]).name
        assert any(name in one and finding["code"] in one for one in told), finding


def test_events_that_commits_name_are_in_history(job: Job) -> None:
    named: set[str] = set()
    for one in job.outcome["accepted"]:
        trailers = parse_trailers(job.user.git("log", "-1", "--format=%B", one["commit"]))
        assert trailers.run_id == job.run_id
        assert list(trailers.event_ids) == one["event_ids"]
        named.update(trailers.event_ids)
    listed = ",".join(f"'{one}'" for one in named)
    [row] = job.stack.sql(
        f"select uniqExact(event_id) as count from swarm.events where event_id in ({listed})"
    )
    assert int(row["count"]) == len(named) > len(job.outcome["accepted"])


def test_each_accepted_commit_is_restored_bit_for_bit(job: Job, tmp_path: Path) -> None:
    """From history alone: at the last change that a commit brought the run's files are its."""
    rows = job.stack.sql(
        "select attributes['commit'] as commit, argMax(toString(event_id), stream_seq) as event "
        f"from swarm.state_changes where workspace_id = '{job.run_id}' group by commit"
    )
    events = {row["commit"]: row["event"] for row in rows}
    assert set(events) == set(job.commits())
    for number, commit in enumerate(job.commits()):
        target = tmp_path / str(number)
        job.stack.swarm("restore", "--at", events[commit], "--to", str(target))
        assert unpacked(target) == archived(job.user, commit)


def test_why_names_the_decision_of_the_coder(job: Job) -> None:
    """A line leads to who decided on it, and from there to the plan."""
    said = job.stack.swarm("why", "harbour/log.py:9", "--workspace", job.run_id).stdout
    [decision] = [line for line in said.splitlines() if line.startswith("decision")]
    assert "coder-" in decision
    assert "B006" in decision
    assert said.count(decision.split("  ", 1)[1].strip()) == 1
    assert "architect-1  decision" in said


def test_history_of_the_run_is_proven(job: Job) -> None:
    """Hash chains of all workspaces included."""
    assert job.stack.swarm("verify").stdout.startswith("ok:")


def test_work_directories_are_removed_after_success(job: Job) -> None:
    assert not (job.stack.root / "work" / job.run_id).exists()


def test_resuming_what_is_done_says_what_was_done(job: Job) -> None:
    """As after a kill between the last commit and the answer."""
    assert job.stack.json("resume", job.run_id) == job.outcome
    assert not (job.stack.root / "work" / job.run_id).exists()


def test_nothing_to_do_is_said_and_is_no_failure(job: Job, tmp_path: Path) -> None:
    user = UserRepository(tmp_path / "clean")
    user.commit({"a.py": "ONE = 1\n"})
    outcome = job.stack.json("run", "fix all lint findings", "--repo", str(user.root))
    assert outcome == {"run_id": outcome["run_id"], "branch": None, "accepted": [], "refused": []}
    assert user.git("branch", "--format=%(refname:short)") == "main"
    said = job.stack.swarm("run", "fix all lint findings", "--repo", str(user.root)).stdout
    assert said.startswith("nothing to do")


def test_tests_that_failed_before_do_not_stand_in_the_way(job: Job, tmp_path: Path) -> None:
    """The same ones fail afterwards; a further one would be refused."""
    user = UserRepository(tmp_path / "failing")
    user.commit(
        {
            "a.py": "import os\n\n\ndef one():\n    return 1\n",
            "test_a.py": "import a\n\n\ndef test_one():\n    assert a.one() == 2\n",
        }
    )
    outcome = job.stack.json("run", "remove unused imports", "--repo", str(user.root))
    [accepted] = outcome["accepted"]
    assert accepted["files"] == ["a.py"]
    shown = job.stack.swarm(
        "sql",
        "select rationale from swarm.decisions where rationale like "
        "'accept%tests: failed before, failed after%'",
    ).stdout
    assert "accept" in shown
