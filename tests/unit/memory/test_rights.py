"""An agent's user writes the notes of its own agents, under the keys that they have."""

import pytest

from cortex.memory.notebook import notebook_key
from infrastructure.stack.permissions import agent_publish
from nervous_system.subjects import escape_token


@pytest.mark.parametrize("agent_id", ["coder-1", "Coder 1", "é%"])
def test_key_of_an_agent_is_among_what_its_user_may_write(agent_id: str) -> None:
    allowed = [one for one in agent_publish([escape_token(agent_id)]) if one.startswith("$KV.")]
    run, agent = notebook_key("01a1f977-7f1c", agent_id).split(".")
    assert allowed == [f"$KV.SWARM_MEMORY.*.{agent}"]
    assert run == "01a1f977-7f1c"
