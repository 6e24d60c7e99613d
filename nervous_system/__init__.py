"""The language of the swarm: events, the bus, telemetry.

    import nervous_system as ns

    async with ns.connect() as swarm:
        async with swarm.agent("coder-1", role="coder") as agent:
            await agent.decide(rationale="split the adapter", confidence=0.9)

Names are loaded when they are first used, so that importing this package costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nervous_system import blocking, errors, events, subjects
    from nervous_system.agent import Agent
    from nervous_system.comms.bus import MessageBus
    from nervous_system.comms.contracts import Delivery, Receipt, StoredEvent
    from nervous_system.config import SwarmConfig
    from nervous_system.emission import LostReceipt
    from nervous_system.schemas import AgentRole, SwarmEvent
    from nervous_system.swarm import Swarm, connect

__all__ = [
    "Agent",
    "AgentRole",
    "Delivery",
    "LostReceipt",
    "MessageBus",
    "Receipt",
    "StoredEvent",
    "Swarm",
    "SwarmConfig",
    "SwarmEvent",
    "blocking",
    "connect",
    "errors",
    "events",
    "subjects",
]

_HOMES = {
    "Agent": "nervous_system.agent",
    "AgentRole": "nervous_system.schemas",
    "Delivery": "nervous_system.comms.contracts",
    "LostReceipt": "nervous_system.emission",
    "MessageBus": "nervous_system.comms.bus",
    "Receipt": "nervous_system.comms.contracts",
    "StoredEvent": "nervous_system.comms.contracts",
    "Swarm": "nervous_system.swarm",
    "SwarmConfig": "nervous_system.config",
    "SwarmEvent": "nervous_system.schemas",
    "connect": "nervous_system.swarm",
}
_MODULES = frozenset({"blocking", "errors", "events", "subjects"})


def __getattr__(name: str) -> Any:
    """Load what is asked for."""
    if name in _MODULES:
        return import_module(f"nervous_system.{name}")
    if name in _HOMES:
        value = getattr(import_module(_HOMES[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'nervous_system' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
