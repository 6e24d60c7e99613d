"""How errors leave the command: one line on stderr and an exit code.

0    done
1    refused, failed, not found, timed out
2    wrong usage
3    a server cannot be reached
130  interrupted
"""

import sys
import traceback

from infrastructure.errors import HistoryUnavailableError, StackDownError
from nervous_system.errors import BusUnavailableError, ConfigError, SwarmError

FAILED = 1
WRONG_USAGE = 2
UNREACHABLE = 3
INTERRUPTED = 130

OUR_PACKAGES = {"cortex", "infrastructure", "mission_control", "nervous_system"}
ENGINES = {"chdb", "nats_server"}
UNREACHABLE_ERRORS = (BusUnavailableError, HistoryUnavailableError, StackDownError)


class CommandFailedError(SwarmError):
    """A command could not do what it was asked for; the message says what and what to do."""


def report(error: Exception, *, show_traceback: bool) -> int:
    """Write `error` to stderr and return the exit code that it means."""
    cause = innermost(error)
    if show_traceback:
        traceback.print_exception(error)
    print(f"swarm: {_line(cause)}", file=sys.stderr)
    return exit_code(cause)


def exit_code(error: Exception) -> int:
    """Return the exit code for `error`."""
    if isinstance(error, UNREACHABLE_ERRORS):
        return UNREACHABLE
    return WRONG_USAGE if isinstance(error, ConfigError) else FAILED


def innermost(error: Exception) -> Exception:
    """Return what an exception group is about: its first error of ours, or its first."""
    if not isinstance(error, ExceptionGroup):
        return error
    causes = [innermost(inner) for inner in error.exceptions]
    return next((cause for cause in causes if isinstance(cause, SwarmError)), causes[0])


def _is_foreign(module: str) -> bool:
    return module.partition(".")[0] not in OUR_PACKAGES


def _extra(module: str) -> str:
    """Return the extra that brings a module; everything but the engines comes with the services."""
    return "embedded" if module.partition(".")[0] in ENGINES else "server"


def _line(error: Exception) -> str:
    if isinstance(error, SwarmError):
        text = str(error)
    elif isinstance(error, ModuleNotFoundError) and error.name and _is_foreign(error.name):
        text = f"{error.name} is not installed: pip install 'enchanted-swarm[{_extra(error.name)}]'"
    elif isinstance(error, OSError):
        text = f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}"
    else:
        text = f"unexpected {type(error).__name__}: {error} (`--traceback` shows where)"
    return " ".join(text.split())
