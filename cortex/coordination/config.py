"""Which project, as which agent, over which bus: the settings of coordination.

The environment is read here, as a mapping. What `swarm init` has written in the home comes behind
what is given and behind `SWARM_AGENT`, and before the defaults: the directory's name for the
project, the user's name for the agent.
"""

import os
import pwd
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cortex.coordination.names import agent_name, project_name
from nervous_system.home import HOME_NAME, Home, find_home, read_json, write_json

PROJECT_FILE = "project.json"
CARRIER_VARIABLES = ("TRACEPARENT", "TRACESTATE", "SWARM_CAUSED_BY")
PATTERNS_VARIABLE = "SWARM_REDACT_PATTERNS"
DEFAULT_USER = "agent"
"""User of the bus for agents that no other user is there for."""
STEP_VARIABLE, TOKEN_VARIABLE = "SWARM_STEP", "SWARM_TOKEN"
"""What a command that `swarm claim` runs is told of its claim."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectConfig:
    """All that `open_project` needs to know."""

    home: Home
    """Where tokens and the redaction key lie."""
    project: str
    """Name of the project."""
    agent: str
    """Who takes part (SWARM_AGENT)."""
    url: str
    """Of the bus, with user and password; empty: nothing says where one is (SWARM_NATS_URL)."""
    run_id: str
    """Run of the events (SWARM_RUN); by default the project."""
    is_redacting: bool = True
    """Take secrets out of texts (SWARM_REDACT=0 switches it off)."""
    own_patterns: str = ""
    """File with patterns of the user's own secrets (SWARM_REDACT_PATTERNS); empty: the home's."""
    carrier: Mapping[str, str] = field(default_factory=dict)
    """What the parent process handed down."""
    claimed_step: str = ""
    """The step that this process was started to work on (SWARM_STEP)."""
    claimed_token: int = 0
    """The token of its claim (SWARM_TOKEN)."""

    def token_for(self, step: str) -> int:
        """Return the token that this process was handed for a step; 0: none."""
        return self.claimed_token if step == self.claimed_step else 0

    @classmethod
    def from_env(
        cls,
        environment: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        home: Path | None = None,
        *,
        project: str = "",
        agent: str = "",
        url: str = "",
    ) -> "ProjectConfig":
        """Read the environment (the process's by default), the home, and what runs there.

        Args:
            environment: stands in for the process's environment.
            cwd: where the search for the nearest `.swarm/` begins; by default here.
            home: the home itself, before `SWARM_HOME` and the search.
            project: name of the project, before what the home says.
            agent: name of the agent, before `SWARM_AGENT` and what the home says.
            url: of the bus, before `SWARM_NATS_URL` and the running stack.

        Raises:
            NameRefusedError: a project or agent cannot be called so.
        """
        values = os.environ if environment is None else environment
        found = find_home(values, cwd or Path.cwd(), home)
        settings = read_project(found)
        who = agent_name(agent or values.get("SWARM_AGENT") or settings["agent"] or _user())
        what = project_name(project or settings["project"] or default_project(found))
        token = values.get(TOKEN_VARIABLE, "")
        return cls(
            home=found,
            project=what,
            agent=who,
            url=url or _url(values, found, who),
            run_id=values.get("SWARM_RUN") or what,
            is_redacting=values.get("SWARM_REDACT", "1") != "0",
            own_patterns=values.get(PATTERNS_VARIABLE, ""),
            carrier={name: values[name] for name in CARRIER_VARIABLES if values.get(name)},
            claimed_step=values.get(STEP_VARIABLE, ""),
            claimed_token=int(token) if token.isdecimal() else 0,
        )


def read_project(home: Home) -> dict[str, str]:
    """Return what `swarm init` has written: `project` and `agent`; empty texts where nothing."""
    found = read_json(_project_file(home)) or {}
    return {name: str(found.get(name) or "") for name in ("project", "agent")}


def write_project(home: Home, *, project: str, agent: str) -> None:
    """Keep the names for later commands of this home.

    Raises:
        OSError: the home cannot be written.
    """
    home.ensure()
    write_json(_project_file(home), {"project": project, "agent": agent})


def default_project(home: Home) -> str:
    """Return the name of a project that was given none: that of the directory."""
    named = home.root.parent if home.root.name == HOME_NAME else home.root
    return named.name.lstrip("_") or "project"


def user_of(agent: str, settings: Mapping[str, Any]) -> str:
    """Return the user of the bus that may speak for an agent, as the home's settings list them."""
    listed = settings.get("agents")
    users = listed if isinstance(listed, dict) else {}
    return next(
        (user for user, ids in users.items() if isinstance(ids, list) and agent in ids),
        DEFAULT_USER,
    )


def _url(values: Mapping[str, str], home: Home, agent: str) -> str:
    stack = home.stack() or {}
    if not values.get("SWARM_NATS_URL"):
        urls = stack.get("agent_nats_urls") or {}
        user = user_of(agent, read_json(home.settings_file) or {})
        if user in urls:
            return str(urls[user])
    # as nervous_system.config.bus_url says, whose module takes longer to load than a claim takes
    named = values.get("SWARM_NATS_URL") or stack.get("agent_nats_url")
    return str(named or stack.get("nats_url") or "")


def _project_file(home: Home) -> Path:
    return home.root / PROJECT_FILE


def _user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's user without a name
        return f"user-{os.getuid()}"
