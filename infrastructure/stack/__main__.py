"""`python -m infrastructure.stack`: a stack in the background, as `swarm up --detach` starts it.

Its first and only line on stdout says how starting went, as JSON: `{"ready": true}`, or `{"error":
TEXT, "kind": CLASS, "facts": {...}}`. Its log goes to stderr.
"""

import argparse
import asyncio
import json
import logging
import os
import sys
from pathlib import Path
from typing import Any

from infrastructure.logs import configure_logging
from infrastructure.stack.ports import parse_ports
from infrastructure.stack.runner import StackConfig, run_stack, stop_on_signals
from nervous_system.errors import ConfigError, SwarmError
from nervous_system.home import Home

logger = logging.getLogger("infrastructure.stack")


def main() -> int:
    """Run the stack until SIGTERM; return the exit code."""
    options = _parse(sys.argv[1:])
    configure_logging(options.log_format)
    try:
        config = StackConfig(
            home=Home(options.home),
            environment=os.environ,
            ports=parse_ports(options.port),
            has_ingestor=not options.no_ingestor,
            has_dashboard=not options.no_dashboard,
        )
        asyncio.run(_run(config))
    except Exception as error:  # noqa: BLE001 - whoever has started us is told, whatever it is
        _answer(_failure(error))
        return 1
    return 0


async def _run(config: StackConfig) -> None:
    stop = asyncio.Event()
    with stop_on_signals(stop):
        await run_stack(config, stop, lambda _: _answer({"ready": True}))


def _answer(line: dict[str, Any]) -> None:
    """Tell who has started us, and let go of the pipe: nobody reads it from here on."""
    print(json.dumps(line), flush=True)  # noqa: T201 - the protocol of this process
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _failure(error: Exception) -> dict[str, Any]:
    """Return what is said of an error, with what it takes to raise the same one over there."""
    cause = _cause(error)
    if cause is None:
        logger.error("the stack has failed", exc_info=error, extra={"action": "stack_failed"})
        leaf = _leaf(error)
        return {"error": f"{type(leaf).__name__}: {leaf}", "kind": type(leaf).__name__}
    facts = vars(cause) if isinstance(cause, ConfigError) else {}
    return {"error": str(cause), "kind": type(cause).__name__, "facts": facts}


def _cause(error: Exception) -> SwarmError | None:
    """Return the first error of ours in what a task group has raised."""
    if isinstance(error, SwarmError):
        return error
    inner = error.exceptions if isinstance(error, ExceptionGroup) else ()
    return next((cause for cause in map(_cause, inner) if cause is not None), None)


def _leaf(error: Exception) -> Exception:
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infrastructure.stack")
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--port", action="append", default=[])
    parser.add_argument("--no-ingestor", action="store_true")
    parser.add_argument("--no-dashboard", action="store_true")
    parser.add_argument("--log-format", choices=["text", "json"], default="text")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
