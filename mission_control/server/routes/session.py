"""What the dashboard has to know before anything else."""

from importlib import metadata

from fastapi import APIRouter

from mission_control.server.desk import AtDesk
from mission_control.server.ledger import newest_heads
from mission_control.server.models import BusAccess, Session

router = APIRouter(tags=["session"])
DISTRIBUTION = "enchanted-swarm"


@router.get("/session")
def session(desk: AtDesk) -> Session:
    """Return the version, how the browser reaches the bus, and where the ledgers stand."""
    access = desk.config.bus_access
    return Session(
        version=metadata.version(DISTRIBUTION),
        home_name=desk.config.home_name,
        nats=None if access is None else BusAccess(**access),
        jaeger_url=desk.config.jaeger_url,
        ledger_heads=newest_heads(desk.archive),
    )
