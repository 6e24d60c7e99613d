"""Who speaks: the facts about an agent that all its events carry."""

from dataclasses import dataclass, field

from nervous_system.events import new_event_id
from nervous_system.schemas import AgentRole


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentIdentity:
    """One life of one agent."""

    agent_id: str
    """Unique name of the agent."""
    role: AgentRole
    name: str
    """Readable name, `gen_ai.agent.name` of its spans; the agent id by default."""
    run_id: str
    """The run that the agent takes part in, `gen_ai.conversation.id` of its spans."""
    workspace_id: str
    """The workspace that its state changes belong to where they name no other."""
    emitter_id: str = field(default_factory=new_event_id)
    """This life; a restarted agent gets another."""
