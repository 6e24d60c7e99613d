"""Events put on the bus of a running stack, as agents put them there."""

import asyncio
from collections.abc import Iterable

import nats

from nervous_system import events
from nervous_system.schemas import AgentRole, SwarmEvent

SUBJECTS = {
    AgentRole.ROLE_ARCHITECT: "architect",
    AgentRole.ROLE_CODER: "coder",
    AgentRole.ROLE_REVIEWER: "reviewer",
    AgentRole.ROLE_OPERATOR: "operator",
}


def decided(
    rationale: str, agent: str = "coder-1", role: AgentRole = AgentRole.ROLE_CODER, run: str = "r1"
) -> SwarmEvent:
    """A decision with one rejected alternative."""
    payload = events.decision(rationale=rationale, rejected_alternatives=["leave it as it is"])
    return events.build(payload, role=role, agent_id=agent, run_id=run)


def signalled(status: str, agent: str = "coder-1", detail: str = "") -> SwarmEvent:
    """A signal with figures of a process."""
    payload = events.system_signal(status, cpu_load_percent=12, memory_usage_mb=64, detail=detail)
    return events.build(payload, role=AgentRole.ROLE_CODER, agent_id=agent, run_id="r1")


def publish(url: str, published: Iterable[SwarmEvent]) -> None:
    """Publish and wait until all are on disk."""
    asyncio.run(_publish(url, published))


async def _publish(url: str, published: Iterable[SwarmEvent]) -> None:
    connection = await nats.connect(url, allow_reconnect=False)
    try:
        stream = connection.jetstream()
        for event in published:
            subject = f"swarm.events.{SUBJECTS[event.agent_role]}.{event.WhichOneof('payload')}"
            headers = {"Nats-Msg-Id": event.event_id}
            await stream.publish(subject, event.SerializeToString(), headers=headers)
    finally:
        await connection.close()
