"""Which handler works on the tasks of which role.

A place is `module:name`, imported when a worker of the role starts; it names a function that opens
the handler: an async context manager, so that it can hold a voice on the bus or a model as long as
the worker runs.
"""

import importlib
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from types import MappingProxyType

from cortex.engine.claims import Handler
from cortex.engine.runs import RunClient
from cortex.errors import HandlerNotFoundError
from cortex.memory.long_term import LongTermMemory
from nervous_system.swarm import Swarm

HANDLERS: Mapping[str, str] = MappingProxyType(
    {
        "architect": "cortex.agents.roles:open_agent",
        "coder": "cortex.agents.roles:open_agent",
        "reviewer": "cortex.agents.roles:open_agent",
        "trivial": "cortex.engine.trivial:open_trivial",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workplace:
    """What a handler may use."""

    swarm: Swarm
    """For agents of its own, and content."""
    runs: RunClient
    """For tasks that follow from its own."""
    agent_id: str
    """Of the worker."""
    role: str
    memory: LongTermMemory | None = None
    """What earlier runs left; None: there is no history to ask."""


OpenHandler = Callable[[Workplace], AbstractAsyncContextManager[Handler]]


def load_handler(role: str, place: str = "") -> OpenHandler:
    """Return what opens the handler of a role, or the one at `place`.

    Raises:
        HandlerNotFoundError: there is none.
    """
    named = place or HANDLERS.get(role, "")
    module, _, attribute = named.partition(":")
    if not module or not attribute:
        raise HandlerNotFoundError(role=role, known=HANDLERS, place=place)
    try:
        found: OpenHandler = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise HandlerNotFoundError(role=role, known=HANDLERS, place=named) from error
    return found
