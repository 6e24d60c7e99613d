"""Whether the recorder can be trusted: ledgers and health."""

from fastapi import APIRouter

from mission_control.server import health, ledger
from mission_control.server.desk import AtDesk
from mission_control.server.models import Health, Ledger

router = APIRouter(tags=["trust"])


@router.get("/ledger")
def ledgers(desk: AtDesk) -> Ledger:
    """Return where the ledgers stand and whether their batches are linked."""
    return ledger.ledgers(desk.archive)


@router.get("/health")
async def whole_health(desk: AtDesk) -> Health:
    """Return how far history is behind the bus, and how the stack's processes are."""
    return await health.health(desk)
