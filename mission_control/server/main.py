"""Runs the dashboard as a process: settings from the environment, signals, exit codes."""

import argparse
import asyncio
import contextlib
import json
import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence

import uvicorn

from infrastructure.errors import PortTakenError
from infrastructure.logs import configure_logging
from mission_control.server.app import build_app
from mission_control.server.config import DashboardConfig
from nervous_system.comms.event_loop import loop_factory
from nervous_system.errors import SwarmError

DRAIN_SECONDS = 3
"""How long answers under way may take once the process is asked to stop."""
KEEP_ALIVE_SECONDS = 30
BACKLOG = 512
_CHATTY = ("uvicorn", "clickhouse_connect", "urllib3")
"""What goes wrong is said by us, once, where it is answered."""
logger = logging.getLogger(__name__)


class _Server(uvicorn.Server):
    """Ends by a flag; signals are ours."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


def main(
    arguments: Sequence[str] | None = None, environment: Mapping[str, str] | None = None
) -> int:
    """Run until SIGTERM or SIGINT; return the process's exit code."""
    options = _parse(arguments)
    configure_logging(options.log_format)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        config = DashboardConfig.from_env(os.environ if environment is None else environment)
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(run(config))
    except (SwarmError, OSError) as error:
        sys.stderr.write(f"dashboard: {error}\n")
        return 1
    return 0


async def run(config: DashboardConfig) -> None:
    """Serve until a signal asks to stop; answers under way are finished first.

    Raises:
        PortTakenError: the address cannot be listened on.
    """
    with _listening(config) as listener:
        server = _Server(_uvicorn_config(config))
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, _stop, server)
        _announce(listener.getsockname()[1])
        await server.serve(sockets=[listener])


def _stop(server: uvicorn.Server) -> None:
    server.should_exit = True


@contextlib.contextmanager
def _listening(config: DashboardConfig) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    try:
        bound = socket.create_server((config.host, config.port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise PortTakenError(
            host=config.host,
            port=config.port,
            variable="SWARM_DASHBOARD_PORT",
            reason=error.strerror or str(error),
        ) from error
    with bound:
        yield bound


def _uvicorn_config(config: DashboardConfig) -> uvicorn.Config:
    return uvicorn.Config(
        build_app(config),
        log_config=None,
        access_log=False,
        lifespan="on",
        server_header=False,
        date_header=True,
        proxy_headers=False,
        ws="none",
        timeout_graceful_shutdown=DRAIN_SECONDS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        ssl_certfile=config.certificate,
        ssl_keyfile=config.certificate_key,
    )


def _announce(port: int) -> None:
    logger.info("the dashboard serves", extra={"action": "dashboard_serves", "port": port})
    sys.stdout.write(json.dumps({"ready": True, "port": port}) + "\n")
    sys.stdout.flush()


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m mission_control.server", description=__doc__)
    parser.add_argument("--log-format", choices=("text", "json"), default="text")
    return parser.parse_args(arguments)
