"""A run is reminded of the run before: on the bundled repository, by the real command."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.embedding_server import running_embedding_server
from tests.support.repositories import UserRepository
from tests.support.stacks import Stack, running_stack

pytestmark = pytest.mark.timeout(240)
TASK = "remove unused imports"
EXAMPLE = Path(__file__).resolve().parents[2] / "examples/harbour/repository.fast-export"


@dataclass(frozen=True, slots=True)
class Twice:
    """Two runs of the same task on the same repository."""

    stack: Stack
    first: str
    second: str

    def decisions(self, run_id: str) -> list[dict[str, Any]]:
        return self.stack.sql(
            "select toString(event_id) as id, agent_role, memory_ids from swarm.decisions "
            f"where run_id = '{run_id}' order by stream_seq"
        )


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twice]:
    folder = tmp_path_factory.mktemp("memory")
    user = UserRepository(folder / "harbour")
    user.git("fast-import", "--quiet", stdin=EXAMPLE.read_bytes())
    user.git("reset", "-q", "--hard")
    with running_stack(folder / "home") as stack:
        ask = ("run", TASK, "--repo", str(user.root), "--no-tests")
        first = stack.json(*ask)["run_id"]
        stack.sql("select 1 as one")  # waits until history has what the first run said
        yield Twice(stack, first, stack.json(*ask)["run_id"])


def test_first_plan_remembers_nothing(twice: Twice) -> None:
    (plan, *_) = twice.decisions(twice.first)
    assert (plan["agent_role"], plan["memory_ids"]) == ("ARCHITECT", [])


def test_second_plan_names_decisions_of_the_first_run(twice: Twice) -> None:
    earlier = {one["id"] for one in twice.decisions(twice.first)}
    (plan, *_) = twice.decisions(twice.second)
    assert plan["agent_role"] == "ARCHITECT"
    assert plan["memory_ids"]
    known = twice.stack.sql(
        f"select toString(event_id) as id from swarm.events where run_id = '{twice.first}'"
    )
    assert set(plan["memory_ids"]) <= {one["id"] for one in known}
    assert set(plan["memory_ids"]) & earlier


def test_what_was_recalled_is_a_tool_call_that_says_its_mode(twice: Twice) -> None:
    calls = twice.stack.sql(
        "select tool_result from swarm.tool_calls "
        f"where run_id = '{twice.second}' and tool_name = 'recall'"
    )
    assert calls
    assert all(str(call["tool_result"]).startswith("full-text: ") for call in calls)


def test_recall_shows_what_a_question_finds_and_how(twice: Twice) -> None:
    found = twice.stack.json("recall", TASK, "--run", twice.first, "--limit", "2")
    assert (found["mode"], found["reason"]) == ("full-text", None)
    assert len(found["memories"]) == 2
    assert {one["run_id"] for one in found["memories"]} == {twice.first}
    assert found["memories"][0]["memory_id"] in {one["id"] for one in twice.decisions(twice.first)}


def test_recall_in_text_names_its_mode_on_stderr(twice: Twice) -> None:
    said = twice.stack.swarm("recall", TASK)
    assert "searched by full-text" in said.stderr
    assert "unused-import" in said.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("recall", "  "), 2, "it is empty"),
        (("recall", "x", "--limit", "0"), 2, "--limit"),
    ],
)
def test_mistake_is_one_clear_line(
    twice: Twice, arguments: tuple[str, ...], code: int, said: str
) -> None:
    done = twice.stack.swarm(*arguments, expected=code)
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_embedding_model_without_key_is_one_clear_line(tmp_path: Path, twice: Twice) -> None:
    keyless = Stack(twice.stack.root, {"SWARM_EMBEDDING_MODEL": "openai:small"})
    done = keyless.swarm("recall", TASK, expected=None)
    assert done.returncode != 0
    assert "OPENAI_API_KEY" in done.stderr
    assert "Traceback" not in done.stderr


def test_embedding_model_that_is_away_leaves_the_search_by_words(twice: Twice) -> None:
    environment = {
        "SWARM_EMBEDDING_MODEL": "openai:small",
        "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",
    }
    found = Stack(twice.stack.root, environment).json("recall", TASK)
    assert found["mode"] == "full-text"
    assert "openai:small" in found["reason"]
    assert found["memories"]


def test_meaning_finds_what_words_do_not_and_each_text_is_sent_once(twice: Twice) -> None:
    """`needless` stands in no text; the model knows that it means what `unused` does."""
    assert twice.stack.json("recall", "needless")["memories"] == []
    with running_embedding_server(("needless", "unused"), ("database",)) as server:
        environment = {"SWARM_EMBEDDING_MODEL": "openai:small", "OPENAI_BASE_URL": server.url}
        stack = Stack(twice.stack.root, environment)
        found = stack.json("recall", "needless")
        asked = len(server.inputs)
        again = stack.json("recall", "needless")
    assert (found["mode"], found["reason"]) == ("hybrid", None)
    assert "unused" in found["memories"][0]["text"]
    assert again["memories"] == found["memories"]
    assert server.inputs[asked:] == [["needless"]]


def test_question_to_an_embedding_model_is_recorded_with_its_tokens(twice: Twice) -> None:
    with running_embedding_server(("unused",)) as server:
        environment = {"SWARM_EMBEDDING_MODEL": "openai:small", "OPENAI_BASE_URL": server.url}
        repository = str(twice.stack.root.parent / "harbour")
        stack = Stack(twice.stack.root, environment)
        run_id = stack.json("run", TASK, "--repo", repository, "--no-tests")["run_id"]
    calls = stack.sql(
        f"select model_name, input_tokens from swarm.model_calls where run_id = '{run_id}'"
    )
    assert {"model_name": "openai:small", "input_tokens": "5"} in [
        {**call, "input_tokens": str(call["input_tokens"])} for call in calls
    ]
