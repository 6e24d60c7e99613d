"""The wire contract's classes, re-exported from the generated code (`make proto`)."""

from nervous_system.schemas.enchanted.events.v1.events_pb2 import (
    AgentDecision,
    AgentRole,
    EventType,
    ModelCall,
    RunTransition,
    StateChange,
    SwarmEvent,
    SystemSignal,
    TaskTransition,
    Tombstone,
    ToolCall,
    WorkspaceCreated,
)

__all__ = [
    "AgentDecision",
    "AgentRole",
    "EventType",
    "ModelCall",
    "RunTransition",
    "StateChange",
    "SwarmEvent",
    "SystemSignal",
    "TaskTransition",
    "Tombstone",
    "ToolCall",
    "WorkspaceCreated",
]
