"""Which project, as which agent, over which bus."""

from pathlib import Path

import pytest

from cortex.coordination.config import ProjectConfig, user_of, write_project
from cortex.coordination.errors import NameRefusedError
from cortex.coordination.steps_rules import Step
from cortex.coordination.tokens import Held, HomeTokens
from nervous_system.home import Home, write_json


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "shop" / ".swarm")
    home.root.mkdir(parents=True)
    return home


def config(home: Home, **environment: str) -> ProjectConfig:
    return ProjectConfig.from_env(environment, home.root.parent)


def test_without_anything_the_directory_names_the_project(home: Home) -> None:
    found = config(home)
    assert (found.project, found.run_id, found.url) == ("shop", "shop", "")
    assert found.agent


def test_what_is_nearest_wins(home: Home) -> None:
    write_project(home, project="web", agent="kept")
    assert (config(home).project, config(home).agent) == ("web", "kept")
    assert config(home, SWARM_AGENT="said").agent == "said"
    given = ProjectConfig.from_env({"SWARM_AGENT": "said"}, home.root.parent, agent="given")
    assert given.agent == "given"


@pytest.mark.parametrize(("agent", "user"), [("coder-1", "team"), ("stranger", "agent")])
def test_an_agent_takes_the_user_that_lists_it(home: Home, agent: str, user: str) -> None:
    write_json(home.settings_file, {"agents": {"agent": ["*"], "team": ["coder-1"]}})
    write_json(
        home.stack_file, {"agent_nats_urls": {"agent": "nats://agent", "team": "nats://team"}}
    )
    assert config(home, SWARM_AGENT=agent).url == f"nats://{user}"
    assert config(home, SWARM_AGENT=agent, SWARM_NATS_URL="nats://named").url == "nats://named"


@pytest.mark.parametrize("settings", [{}, {"agents": None}, {"agents": {"team": "coder-1"}}])
def test_settings_that_list_nobody_mean_the_usual_user(settings: dict[str, object]) -> None:
    assert user_of("coder-1", settings) == "agent"


def test_a_token_that_was_handed_down_is_for_its_step_only(home: Home) -> None:
    found = config(home, SWARM_STEP="build", SWARM_TOKEN="17")
    assert (found.token_for("build"), found.token_for("test")) == (17, 0)


def test_an_agent_of_a_reserved_name_is_refused(home: Home) -> None:
    with pytest.raises(NameRefusedError, match="reserved"):
        config(home, SWARM_AGENT="_broadcast")


async def test_tokens_outlive_the_process_and_belong_to_one_agent(home: Home) -> None:
    held = Held.of(Step(step="s", token=7, sequence=9, expires_at_ms=5, event_id="e"), 1_000)
    await HomeTokens(home, "p", "a").keep(held)
    await HomeTokens(home, "p", "a").keep_causes(["m"], 3)
    assert HomeTokens(home, "p", "a").all() == [held]
    assert HomeTokens(home, "p", "a").causes() == (["m"], 3)
    assert HomeTokens(home, "p", "b").get("s") is None
    await HomeTokens(home, "p", "a").drop("s")
    assert HomeTokens(home, "p", "a").all() == []


@pytest.mark.parametrize("text", ["", "[1]", "{", '{"claims": 3}', '{"claims": {"s": {}}}'])
async def test_a_damaged_file_of_tokens_is_as_good_as_none(home: Home, text: str) -> None:
    tokens = HomeTokens(home, "p", "a")
    await tokens.keep(Held(step="s", token=1))
    (path,) = home.root.rglob("a.json")
    path.write_text(text)
    assert tokens.get("s") is None
    await tokens.keep(Held(step="t", token=2))
    assert [one.token for one in tokens.all()] == [2]
