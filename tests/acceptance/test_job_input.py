"""`swarm run` on what it cannot work on, and with language models, good and bad."""

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.jobs import with_findings
from tests.support.openai_server import Reply, answer, failure, rubbish, running_openai_server
from tests.support.repositories import UserRepository
from tests.support.stacks import Stack, running_stack

TASK = "fix all lint findings"


def absent(path: Path) -> None:
    """Nothing is there."""


def plain(path: Path) -> None:
    path.mkdir()


def empty(path: Path) -> None:
    UserRepository(path)


def bare(path: Path) -> None:
    UserRepository(path).git("config", "core.bare", "true")


def in_conflict(path: Path) -> None:
    user = UserRepository(path)
    user.commit({"a.txt": "one\n"})
    user.git("checkout", "-q", "-b", "other")
    user.commit({"a.txt": "two\n"})
    user.git("checkout", "-q", "main")
    user.commit({"a.txt": "three\n"})
    with pytest.raises(Exception, match="merge"):
        user.git("merge", "other")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (absent, "no such directory"),
        (plain, "not a git repository"),
        (empty, "no commit yet"),
        (bare, "bare"),
        (in_conflict, "in conflict"),
    ],
)
def test_repository_is_refused_before_anything_starts(
    make: Callable[[Path], None], said: str, tmp_path: Path
) -> None:
    make(tmp_path / "r")
    stack = Stack(tmp_path / "home")
    done = stack.swarm("run", TASK, "--repo", str(tmp_path / "r"), expected=1)
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not stack.root.exists()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["  "], 2, "say what is to be done"),
        (["write a poem"], 1, "the task was refused"),
        ([TASK, "--model", "gpt"], 2, "gpt"),
        ([TASK, "--model", "openai:gpt-5"], 2, "OPENAI_API_KEY"),
        ([TASK, "--check", "nothing"], 2, "NAME=COMMAND"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_starts(
    arguments: list[str], code: int, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    user = with_findings(tmp_path / "r", 1)
    stack = Stack(tmp_path / "home")
    done = stack.swarm("run", *arguments, "--repo", str(user.root), expected=code)
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not stack.root.exists()


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("input") / "home") as running:
        yield running


def test_odd_repository_is_worked_on(stack: Stack, tmp_path: Path) -> None:
    """Detached, dirty, with a submodule, binary and large files, and names that are no text."""
    inner = UserRepository(tmp_path / "inner")
    inner.commit({"i.txt": "i\n"})
    user = with_findings(tmp_path / "r", 1)
    user.git("submodule", "add", "-q", str(inner.root), "sub")
    user.commit({"b.bin": bytes(range(256)) * 100_000, "n\udcff": "name\n"})
    user.git("checkout", "-q", "--detach")
    user.write({"m0.py": "changed = 1\n"})
    before = user.state()
    done = stack.swarm("run", TASK, "--repo", str(user.root), "--no-tests", "--json")
    outcome = json.loads(done.stdout)
    assert {tuple(one["files"]) for one in outcome["accepted"]} == {("m0.py",)}
    for notice in ("m0.py is not committed", "submodules stay empty", "no branch is checked out"):
        assert notice in done.stderr
    assert user.state() == before
    assert stack.swarm("verify").stdout.startswith("ok:")


PLAN: dict[str, Any] = {
    "tasks": [
        {"key": "plan", "title": "Greet " * 33, "why": "asked", "paths": ["app.py", "new.py"]}
    ],
    "rationale": "one file is enough",
    "rejected_alternatives": ["two files: more to read"],
    "confidence": 0.8,
}
CHANGE: dict[str, Any] = {
    "edits": [
        {"path": "app.py", "action": "replace", "replacements": [{"old": "hi", "new": "hello"}]},
        {"path": "new.py", "action": "write", "content": "NEW = 1\n"},
    ],
    "rationale": "said as asked",
    "confidence": 0.9,
}
WORSE = {**CHANGE, "edits": [{"path": "app.py", "action": "write", "content": "print('hum')\n"}]}
REFUSAL = {"accepted": False, "reasons": ["say hello"], "rationale": "it hums", "confidence": 1}
REVIEW = {"accepted": True, "reasons": [], "rationale": "as asked", "confidence": 0.9}


@pytest.fixture
def app(tmp_path: Path) -> UserRepository:
    user = UserRepository(tmp_path / "app")
    user.commit({"app.py": "print('hi')\n", "README.md": "An app.\n"})
    return user


async def run_with(
    stack: Stack, user: UserRepository, *replies: Reply, expected: int = 0
) -> tuple[dict[str, Any], str, list[str]]:
    """Return the outcome, what was said, and what the model was asked."""
    async with running_openai_server(replies) as server:
        asking = Stack(stack.root, {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "sk-test"})
        arguments = ["run", "greet politely", "--repo", str(user.root), "--model", "openai:test"]
        done = await asyncio.to_thread(
            lambda: asking.swarm(*arguments, "--json", expected=expected)
        )
        prompts = [server.prompt(place) for place in range(len(server.requests))]
    return json.loads(done.stdout), done.stderr, prompts


@pytest.mark.timeout(90)
async def test_language_model_plans_changes_mends_and_accepts(
    stack: Stack, app: UserRepository
) -> None:
    """Its calls are events; the reviewer's reasons come back to the coder."""
    replies = [answer(one) for one in (PLAN, WORSE, REFUSAL, CHANGE, REVIEW)]
    outcome, said, prompts = await run_with(stack, app, *replies)
    [accepted] = outcome["accepted"]
    assert sorted(accepted["files"]) == ["app.py", "new.py"]
    assert app.files_of(outcome["branch"])["app.py"] == b"print('hello')\n"
    assert "sends back" in said
    assert "say hello" in prompts[3]
    [row] = stack.sql(
        "select count() as calls, sum(input_tokens) as tokens from swarm.model_calls "
        f"where run_id = '{outcome['run_id']}' and model_outcome = 'ok'"
    )
    assert (int(row["calls"]), int(row["tokens"])) == (5, 500)


async def test_file_that_never_compiled_can_be_changed(stack: Stack, app: UserRepository) -> None:
    """Of another language by the same name, or of an older Python."""
    app.commit({"app.py": "print 'hi'\n"})
    outcome, _, _ = await run_with(stack, app, *map(answer, (PLAN, CHANGE, REVIEW)))
    assert len(outcome["accepted"]) == 1
    shown = stack.swarm("why", "app.py:1", "--workspace", outcome["run_id"], "--json").stdout
    rejected = [one.get("rejected_alternatives", []) for one in json.loads(shown)["causes"]]
    assert ["accept it as it is"] not in rejected
    assert ["send it back"] not in rejected


@pytest.mark.timeout(90)
@pytest.mark.parametrize(
    ("reply", "reason"), [(rubbish(), "answer"), (failure(500, retry_after="0"), "500")]
)
async def test_model_that_never_answers_well_fails_the_run_which_can_go_on(
    stack: Stack, app: UserRepository, reply: Reply, reason: str
) -> None:
    outcome, said, _ = await run_with(stack, app, reply, expected=1)
    last = said.strip().splitlines()[-1]
    assert last.startswith(f"swarm: run {outcome['run_id']} failed: task plan: ")
    assert reason in last
    assert "Traceback" not in said
    async with running_openai_server([answer(one) for one in (PLAN, CHANGE, REVIEW)]) as server:
        asking = Stack(stack.root, {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "sk-test"})
        resumed = await asyncio.to_thread(lambda: asking.json("resume", outcome["run_id"]))
    assert len(resumed["accepted"]) == 1
