"""Which users of the bus speak for which agents: the key `agents` of the home's `swarm.json`.

    "agents": {"agent": ["planner"], "team-a": ["coder-1", "coder-2"]}

Each name becomes a user with a password of its own in `credentials.json`, and may publish events of
the listed agents only. `agent` is the user that programs of this home take by default; unless it is
listed, it may speak for any agent.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from infrastructure.stack.permissions import ANY_AGENT, DUTIES
from nervous_system.errors import ConfigError
from nervous_system.subjects import escape_token

ANY = "*"


def agent_users(listed: Mapping[str, Any]) -> dict[str, Sequence[str]]:
    """Return user name to escaped agent ids; `*` in a list stands for any agent.

    Raises:
        ConfigError: a name is that of a duty, or what it is given is no list of agent ids.
    """
    for name, ids in listed.items():
        if name in DUTIES:
            raise _refused(name, "a name that is not one of " + ", ".join(DUTIES))
        if not isinstance(ids, list) or not all(isinstance(one, str) and one for one in ids):
            raise _refused(f"{name}: {ids!r}", "a list of agent ids")
    named = {name: [_token(one) for one in ids] for name, ids in listed.items()}
    return {**ANY_AGENT, **named}


def _token(agent_id: str) -> str:
    return ANY if agent_id == ANY else escape_token(agent_id)


def _refused(given: str, expected: str) -> ConfigError:
    return ConfigError(
        variable="agents in swarm.json", given=given, expected=expected, fix="correct the file"
    )
