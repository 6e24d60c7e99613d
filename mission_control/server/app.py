"""The dashboard as one ASGI application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp

from mission_control.server import site
from mission_control.server.archive import Archive
from mission_control.server.bus_watch import BusWatch
from mission_control.server.config import DashboardConfig
from mission_control.server.desk import Desk
from mission_control.server.failures import translate_errors
from mission_control.server.gate import Gate
from mission_control.server.metrics import Metrics
from mission_control.server.routes.table import api_router, bare_app
from mission_control.server.static_files import StaticFiles, packaged_files

COMPRESSED_FROM_BYTES = 1_000
COMPRESSION_LEVEL = 3


def build_app(config: DashboardConfig, files: StaticFiles | None = None) -> ASGIApp:
    """Return the application; it opens bus and history when they are asked for first.

    Args:
        config: what it serves, and to whom.
        files: the web build; None: the one that the package ships.
    """
    metrics = Metrics()
    desk = Desk(
        config=config,
        archive=Archive(config.history),
        bus=BusWatch(config.nats_url),
        metrics=metrics,
    )
    app = bare_app(_lifespan)
    app.state.desk = desk
    translate_errors(app)
    app.include_router(api_router())
    app.include_router(site.router)
    app.include_router(site.pages_router(files or packaged_files()))
    packed = GZipMiddleware(
        app, minimum_size=COMPRESSED_FROM_BYTES, compresslevel=COMPRESSION_LEVEL
    )
    return Gate(packed, config, metrics)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    desk: Desk = app.state.desk
    try:
        yield
    finally:
        await desk.bus.close()
        desk.archive.close()
