"""Subjects of what agents share, each ending in the token of the agent that writes. Pure.

    swarm.coordination.step.<project>.<step>.<agent>
    swarm.coordination.message.<project>.<recipient>.<agent>
    swarm.coordination.memory.<project>.<key>.<agent>
    swarm.coordination.artifact.<project>.<name>.<agent>
    swarm.coordination.read.<project>.<agent>
    swarm.events.<role>.presence_<digest of the project>.<agent>

A pattern names a thing whoever writes on it, and is what a write is conditioned on. Signs of life
are many and soon worthless: they lie in the stream of events, which forgets.
"""

from hashlib import sha256

from nervous_system.errors import InvalidEventError
from nervous_system.schemas import AgentRole
from nervous_system.subjects import EVENTS_PREFIX, escape_token, role_token, unescape_token

PREFIX = "swarm.coordination"
STEP, MESSAGE, MEMORY, ARTIFACT = "step", "message", "memory", "artifact"
READ = "read"
_PROJECT_AT = 3


def thing(kind: str, project: str, name: str) -> str:
    """Return the pattern of all subjects of one step, recipient, key or artifact."""
    return f"{PREFIX}.{kind}.{escape_token(project)}.{escape_token(name)}.*"


def own(kind: str, project: str, agent: str) -> str:
    """Return the subject on which an agent says something about itself: `READ`."""
    return f"{PREFIX}.{kind}.{escape_token(project)}.{escape_token(agent)}"


def presence(project: str, agent: str, role: AgentRole) -> str:
    """Return the subject on which an agent says that it is there."""
    return f"{EVENTS_PREFIX}.{role_token(role)}.{_presence(project)}.{escape_token(agent)}"


def presences(project: str, agent: str | None = None) -> str:
    """Return the pattern of the signs of life in a project, of one agent or of all."""
    token = "*" if agent is None else escape_token(agent)
    return f"{EVENTS_PREFIX}.*.{_presence(project)}.{token}"


def present_agent(subject: str) -> str | None:
    """Return whose sign of life lies on a subject; None where nobody can tell."""
    try:
        return unescape_token(subject.rpartition(".")[2])
    except InvalidEventError:
        return None


def _presence(project: str) -> str:
    return f"presence_{sha256(project.encode()).hexdigest()[:16]}"


def whole(kind: str, project: str) -> str:
    """Return the pattern of everything of a kind in a project."""
    return f"{PREFIX}.{kind}.{escape_token(project)}.>"


def written_by(pattern: str, agent: str) -> str:
    """Return the subject within the pattern of a thing on which one agent writes."""
    return pattern[:-1] + escape_token(agent)


def parse(subject: str, kind: str) -> tuple[str, ...] | None:
    """Return the names in a subject of a kind, the agent's last; None where it is no such subject.

    The project is left out.
    """
    tokens = subject.split(".")
    if tokens[:_PROJECT_AT] != [*PREFIX.split("."), kind] or len(tokens) < _PROJECT_AT + 2:
        return None
    try:
        return tuple(map(unescape_token, tokens[_PROJECT_AT + 1 :]))
    except InvalidEventError:
        return None
