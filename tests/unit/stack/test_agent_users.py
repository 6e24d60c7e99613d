import pytest

from infrastructure.stack.agent_users import agent_users
from nervous_system.errors import ConfigError


def test_by_default_one_user_speaks_for_any_agent() -> None:
    assert agent_users({}) == {"agent": ("*",)}


def test_agent_ids_are_escaped_and_never_wildcards() -> None:
    users = agent_users({"team": ["coder-1", "A.b", "x>", "a*"]})
    assert users["team"] == ["coder-1", "%41%2Eb", "x%3E", "a%2A"]
    assert users["agent"] == ("*",)


def test_default_user_can_be_bound_too() -> None:
    assert agent_users({"agent": ["planner"], "any": ["*"]}) == {"agent": ["planner"], "any": ["*"]}


@pytest.mark.parametrize("listed", [{"operator": ["a"]}, {"t": "a"}, {"t": [1]}, {"t": [""]}])
def test_what_is_no_list_of_agents_is_refused(listed: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=r"swarm\.json"):
        agent_users(listed)
