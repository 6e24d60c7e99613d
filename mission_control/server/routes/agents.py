"""Agents as they are now, or were in a run."""

from fastapi import APIRouter

from mission_control.server import agents
from mission_control.server.asking import RunId
from mission_control.server.desk import AtDesk
from mission_control.server.models import AgentList

router = APIRouter(tags=["agents"])


@router.get("/agents")
def list_agents(desk: AtDesk, run_id: RunId = "") -> AgentList:
    """List the agents of one run, or all: at most 1,000, those heard of last first."""
    return agents.agent_list(desk.archive, run_id)
