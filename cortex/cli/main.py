"""The entry point of `swarm`: parse, run one command, turn its error into a line and a code.

Commands by which agents share a project take a short way, without typer: `cortex.cli.plain`.
"""

import gc
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from cortex.cli.session import Session
from cortex.cli.sharing import NAMES

INTERRUPTED = 130
GARBAGE_THRESHOLD = 100_000
"""Loading modules leaves little garbage, which a command that ends at once need not look for."""


def main() -> None:
    """Run `swarm` with this process's arguments."""
    sys.exit(run(sys.argv[1:], os.environ))


def run(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run one command and return its exit code."""
    session = Session(environment=environment, directory=Path.cwd())
    try:
        if not (arguments and arguments[0] in NAMES and _run_plain(session, arguments)):
            _run_typed(session, arguments)
    except SystemExit as end:
        return _flushed(end.code)
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the last line of defence: a line, not a stack trace
        from cortex.cli.errors import report

        return report(error, show_traceback=session.traceback)
    return 0


def _run_plain(session: Session, arguments: Sequence[str]) -> bool:
    """Run a command that agents share a project by; False: what it takes has to be explained."""
    gc.set_threshold(GARBAGE_THRESHOLD)
    from cortex.cli.plain_run import run_plain

    return run_plain(session, arguments)


def _run_typed(session: Session, arguments: Sequence[str]) -> None:
    from cortex.cli.app import build_app

    build_app().main(list(arguments), prog_name="swarm", obj=session)


def _flushed(code: str | int | None) -> int:
    """Write out what is still buffered; a reader that has gone away is no failure."""
    from cortex.cli import output
    from cortex.cli.errors import FAILED

    output.is_reader_gone()
    if code is None:
        return 0
    return code if isinstance(code, int) else FAILED


if __name__ == "__main__":
    main()
