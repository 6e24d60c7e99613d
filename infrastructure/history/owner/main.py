"""`python -m infrastructure.history --home DIR`: own embedded data, serve it on the loopback."""

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from infrastructure.history.owner.config import OwnerConfig
from infrastructure.history.owner.outcome import EngineError
from nervous_system.comms.event_loop import loop_factory
from nervous_system.errors import SwarmError
from nervous_system.home import Home

DRAIN_SECONDS = 10.0
"""How long requests under way may take to finish when we are asked to stop."""
_log = logging.getLogger("infrastructure.history.owner")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT; return the exit code."""
    options = _parse(arguments)
    logging.basicConfig(
        level=logging.INFO,
        stream=sys.stderr,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )
    # Times without a zone mean UTC, whatever the machine says; read by the engine when it loads.
    os.environ["TZ"] = "UTC"
    time.tzset()
    try:
        config = OwnerConfig.from_home(Home(options.home.resolve()), port=options.port)
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            return runner.run(run(config))
    except (SwarmError, EngineError, OSError) as error:
        sys.stderr.write(f"history: {error}\n")
        return 1


async def run(config: OwnerConfig) -> int:
    """Open the engine, bring the schema up to date, serve until asked to stop."""
    _enter_workplace(config.path)
    # The engine takes a tenth of a second to load: after the arguments were found to be right.
    from infrastructure.history.owner.engine import Engine
    from infrastructure.history.owner.http1 import serve
    from infrastructure.history.owner.metrics import Metrics
    from infrastructure.history.owner.migration import apply_migrations
    from infrastructure.history.owner.service import Endpoint

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    engine = Engine(config.path)
    endpoint = Endpoint(engine, config.credentials, Metrics())
    server = await serve(endpoint.handle, config.host, config.port, endpoint.body_limit)
    try:
        await asyncio.to_thread(engine.open)
        await asyncio.to_thread(apply_migrations, engine)
        await asyncio.to_thread(endpoint.open)
        _announce(server.port)
        await stop.wait()
    finally:
        endpoint.is_ready = False
        await server.close(DRAIN_SECONDS)
        await asyncio.to_thread(endpoint.close)
        await asyncio.to_thread(engine.close)
    return 0


def _enter_workplace(data: Path) -> None:
    """Work inside the data: the engine keeps schemas of inserts in `__cache__/` where it stands.

    The directory that `swarm up` was called in is the user's: it may vanish or be read-only, and
    no insert would succeed.
    """
    workplace = data / "format_schemas"
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    workplace.mkdir(exist_ok=True, mode=0o700)
    os.chdir(workplace)


def _announce(port: int) -> None:
    _log.info("history is ready", extra={"action": "history_ready", "port": port})
    sys.stdout.write(json.dumps({"ready": True, "port": port}) + "\n")
    sys.stdout.flush()


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infrastructure.history", description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="the home that holds the data")
    parser.add_argument("--port", type=int, default=None, help="0 picks a free one")
    return parser.parse_args(arguments)
