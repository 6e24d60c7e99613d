"""Runs a command that is described as data, if its arguments are plain."""

import asyncio
import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from cortex.cli.plain import Parsed, PlainCommand, PlainGroup, function_of, parse_plain
from cortex.cli.session import LogFormat, Session
from cortex.cli.sharing import table


def run_plain(session: Session, arguments: Sequence[str]) -> bool:
    """Run the command that `arguments` name; False: it takes the parser that can explain.

    Raises:
        CommandFailedError: a connection broke off.
        SystemExit: with the exit code, where the command has one of its own.
    """
    found = find_command(arguments)
    if found is None:
        return False
    command, rest = found
    parsed = parse_plain(command, rest)
    if parsed is None or parsed.common.get("--log-format", "text") not in tuple(LogFormat):
        return False
    _take_common(session, parsed.common)
    _call(session, command, parsed)
    return True


def find_command(arguments: Sequence[str]) -> tuple[PlainCommand, Sequence[str]] | None:
    """Return the command that arguments name, and what is left of them; None: none of ours."""
    found = vars(table).get(arguments[0].replace("-", "_"))
    if isinstance(found, PlainGroup):
        inner = found.commands.get(arguments[1]) if len(arguments) > 1 else None
        return None if inner is None else (inner, arguments[2:])
    return (found, arguments[1:]) if isinstance(found, PlainCommand) else None


def _take_common(session: Session, common: Mapping[str, Any]) -> None:
    session.given_home = common.get("--home", session.given_home)
    session.traceback = bool(common.get("--traceback", session.traceback))
    session.log_format = LogFormat(common.get("--log-format", session.log_format))
    import logging

    from infrastructure.logs import configure_logging

    configure_logging(session.log_format, logging.WARNING)


def _call(session: Session, command: PlainCommand, parsed: Parsed) -> None:
    function = function_of(command)
    try:
        if inspect.iscoroutinefunction(function):
            asyncio.run(function(session, **parsed.arguments))
        else:
            function(session, **parsed.arguments)
    except (BrokenPipeError, ExceptionGroup) as error:
        end_quietly_without_reader(error)
        raise


def end_quietly_without_reader(error: Exception) -> None:
    """A reader of ours that has gone away (`| head`) has seen enough; other pipes are failures.

    Raises:
        SystemExit: nobody reads any more.
        CommandFailedError: a connection broke off.
    """
    from cortex.cli import output
    from cortex.cli.errors import CommandFailedError, innermost

    if isinstance(innermost(error), BrokenPipeError):
        if output.is_reader_gone():
            raise SystemExit(0) from error
        raise CommandFailedError("a connection broke off: try again") from error
