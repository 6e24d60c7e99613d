"""What the endpoints work with, made once per process."""

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request

from mission_control.server.archive import Archive
from mission_control.server.bus_watch import BusWatch
from mission_control.server.config import DashboardConfig
from mission_control.server.metrics import Metrics


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """History, bus and settings of one dashboard."""

    config: DashboardConfig
    archive: Archive
    bus: BusWatch
    metrics: Metrics


def _desk_of(request: Request) -> Desk:
    return cast("Desk", request.app.state.desk)


AtDesk = Annotated[Desk, Depends(_desk_of)]
