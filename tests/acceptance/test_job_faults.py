"""`swarm run` killed, interrupted, without its bus, beside another one: nothing lost or twice."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from cortex.tools.git_names import parse_trailers
from tests.support.eventually import eventually_blocking
from tests.support.jobs import FIXED, started, with_findings
from tests.support.repositories import UserRepository
from tests.support.stacks import Stack, running_stack

TASK = "fix all lint findings"
COUNT = 2


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("faults") / "home") as running:
        yield running


@pytest.fixture
def user(tmp_path: Path) -> UserRepository:
    return with_findings(tmp_path / "user", COUNT)


class Gate:
    """A check that takes as long as the gate is shut."""

    def __init__(self, folder: Path) -> None:
        self._open = folder / "open"
        self.reached = folder / "reached"
        script = f"touch {self.reached}; while [ ! -e {self._open} ]; do sleep 0.05; done"
        self.option = f"gate={script}"

    def let_pass(self) -> None:
        self._open.touch()

    def shut(self) -> None:
        self._open.unlink()
        self.reached.unlink(missing_ok=True)


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path)


def assert_done_once(stack: Stack, user: UserRepository, run_id: str) -> None:
    """Every file is as it should be, each accepted change is one commit, history is sound."""
    branch = f"swarm/{run_id}"
    files = user.files_of(branch)
    assert files.pop("ruff.toml")
    assert files == {f"m{number}.py": FIXED.encode() for number in range(COUNT)}
    commits = user.git("rev-list", f"main..{branch}").split()
    messages = [user.git("log", "-1", "--format=%B", one) for one in commits]
    decisions = {parse_trailers(one).event_ids[0] for one in messages}
    assert len(decisions) == len(commits)
    rows = stack.sql(
        "select attributes['commit'] as commit, count() as changes, uniqExact(target_resource) as "
        f"files from swarm.state_changes where workspace_id = '{run_id}' group by commit"
    )
    assert {row["commit"] for row in rows} == set(commits)
    assert all(row["changes"] == row["files"] for row in rows)
    assert stack.swarm("verify", expected=None).stdout.startswith("ok:")


@pytest.mark.timeout(180)
def test_killed_again_and_again_it_is_done_once(
    stack: Stack, user: UserRepository, gate: Gate, tmp_path: Path
) -> None:
    """While it plans, while coders work, and when the branch has moved and nobody knows yet."""
    arguments = ["run", TASK, "--repo", str(user.root), "--no-tests", "--check", gate.option]
    with started(stack, tmp_path / "first", *arguments) as going:
        run_id = going.run_id()
        eventually_blocking(gate.reached.exists, timeout=40)
        going.kill()
    gate.let_pass()
    with started(stack, tmp_path / "second", "resume", run_id) as going:
        going.wait_for("coder-. takes")
        going.kill()
    moved = stack.root / "work" / run_id / "repository.git/refs/heads/swarm" / run_id
    base = moved.read_text()
    with started(stack, tmp_path / "third", "resume", run_id) as going:
        eventually_blocking(lambda: moved.read_text() != base, timeout=60, pause=0.001)
        going.kill()
    assert "accepts" not in going.text
    with started(stack, tmp_path / "fourth", "resume", run_id, "--json") as going:
        assert going.end(90) == 0
    assert_done_once(stack, user, run_id)


@pytest.mark.timeout(120)
def test_branch_that_cannot_be_handed_over_fails_the_run_and_loses_nothing(
    stack: Stack, user: UserRepository, tmp_path: Path
) -> None:
    """The user's repository does not take the branch for a time; then the run goes on."""
    arguments = ["run", TASK, "--repo", str(user.root), "--no-tests"]
    with started(stack, tmp_path / "said", *arguments) as going:
        run_id = going.run_id()
        lock = user.root / ".git/refs/heads/swarm" / f"{run_id}.lock"
        lock.parent.mkdir(parents=True, exist_ok=True)
        lock.touch()
        assert going.end() == 1
        assert f"try again with `swarm resume {run_id}`" in going.text
        assert "cannot be moved" in going.text
        assert (stack.root / "work" / run_id / "contents").is_dir()  # resume goes on from there
        assert "Traceback" not in going.text
    lock.unlink()
    stack.swarm("resume", run_id)
    assert_done_once(stack, user, run_id)


@pytest.mark.timeout(120)
def test_interrupted_run_goes_on_where_it_stood(
    stack: Stack, user: UserRepository, gate: Gate, tmp_path: Path
) -> None:
    arguments = ["run", TASK, "--repo", str(user.root), "--no-tests", "--check", gate.option]
    with started(stack, tmp_path / "said", *arguments) as going:
        run_id = going.run_id()
        eventually_blocking(gate.reached.exists, timeout=40)
        going.child.send_signal(signal.SIGINT)
        assert going.end() == 130
        assert f"stopped; go on with: swarm resume {run_id}" in going.text
    gate.let_pass()
    stack.swarm("resume", run_id)
    assert_done_once(stack, user, run_id)


@pytest.mark.timeout(120)
def test_worker_killed_in_the_middle_of_its_work_is_replaced(
    stack: Stack, user: UserRepository, gate: Gate, tmp_path: Path
) -> None:
    """Its claim goes to another one, and what it left is nobody's base."""
    arguments = ["run", TASK, "--repo", str(user.root), "--no-tests", "--check", gate.option]
    workers = ["worker", "--role", "coder", "--agent", "outside", "--slots", "8", "--lease", "2"]
    with (
        started(stack, tmp_path / "said", *arguments) as going,
        started(stack, tmp_path / "worker", *workers) as worker,
    ):
        run_id = going.run_id()
        worker.wait_for("at work")
        gate.let_pass()
        going.wait_for("outside-. takes")
        worker.kill()
        assert going.end() == 0
    assert_done_once(stack, user, run_id)


@pytest.mark.timeout(120)
def test_bus_that_goes_away_is_waited_for(
    stack: Stack, user: UserRepository, gate: Gate, tmp_path: Path
) -> None:
    arguments = ["run", TASK, "--repo", str(user.root), "--no-tests", "--check", gate.option]
    with started(stack, tmp_path / "said", *arguments) as going:
        run_id = going.run_id()
        eventually_blocking(gate.reached.exists, timeout=40)
        stack.kill("nats")
        gate.let_pass()
        assert going.end(90) == 0
    assert_done_once(stack, user, run_id)


@pytest.mark.timeout(120)
def test_two_runs_at_the_same_time_help_each_other(
    stack: Stack, user: UserRepository, tmp_path: Path
) -> None:
    """Their agents have the same names, and take each other's tasks."""
    other = with_findings(tmp_path / "other", COUNT)
    arguments = ["run", TASK, "--no-tests", "--repo"]
    with (
        started(stack, tmp_path / "one", *arguments, str(user.root)) as one,
        started(stack, tmp_path / "two", *arguments, str(other.root)) as two,
    ):
        ids = [one.run_id(), two.run_id()]
        assert (one.end(), two.end()) == (0, 0)
    for repository, run_id in zip((user, other), ids, strict=True):
        assert_done_once(stack, repository, run_id)
