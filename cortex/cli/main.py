"""The entry point of `swarm`: parse, run one command, turn its error into a line and a code."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from cortex.cli import output
from cortex.cli.app import build_app
from cortex.cli.errors import FAILED, INTERRUPTED, report
from cortex.cli.session import Session


def main() -> None:
    """Run `swarm` with this process's arguments."""
    sys.exit(run(sys.argv[1:], os.environ))


def run(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run one command and return its exit code."""
    session = Session(environment=environment, directory=Path.cwd())
    try:
        build_app().main(list(arguments), prog_name="swarm", obj=session)
    except SystemExit as end:
        return _flushed(end.code)
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the last line of defence: a line, not a stack trace
        return report(error, show_traceback=session.traceback)
    return 0


def _flushed(code: str | int | None) -> int:
    """Write out what is still buffered; a reader that has gone away is no failure."""
    output.is_reader_gone()
    if code is None:
        return 0
    return code if isinstance(code, int) else FAILED


if __name__ == "__main__":
    main()
