"""The tree of commands, loaded one module at a time.

`swarm --help` must not import an engine, so the table holds each command's summary and the place
of its function, and only the command that is called is imported. A place is `module:name`, where
name is a function with typer annotations, sync or async, or a `typer.Typer` that holds a group.
Every command gets `--home`, `--traceback` and `--log-format` from here; it reads them through
`Session.of(ctx)`.
"""

import asyncio
import functools
import importlib
import inspect
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from cortex.cli.plain import PlainCommand, PlainGroup
from cortex.cli.plain_run import end_quietly_without_reader
from cortex.cli.session import LogFormat, Session
from cortex.cli.sharing import table
from infrastructure.logs import configure_logging

Function = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class CommandPlace:
    """Where a command's function is and what it does, in one line."""

    place: str
    summary: str


COMMANDS = {
    "up": CommandPlace("cortex.cli.stack_commands:up", "Start the stack of this home."),
    "down": CommandPlace("cortex.cli.stack_commands:down", "Drain and stop the stack."),
    "status": CommandPlace("cortex.cli.stack_commands:status", "Say what runs, and where."),
    "doctor": CommandPlace("cortex.cli.doctor_command:doctor", "Check the set-up, say what to do."),
    "publish": CommandPlace(
        "cortex.cli.publish_command:publish", "Publish events given as JSON lines."
    ),
    "tail": CommandPlace("cortex.cli.tail_command:tail", "Follow events live."),
    "events": CommandPlace("cortex.cli.events_command:events", "List events from history."),
    "sql": CommandPlace("cortex.cli.sql_command:sql", "Ask history in SQL."),
    "replay": CommandPlace(
        "cortex.cli.replay_command:replay", "Print a range of the stream again, or republish it."
    ),
    "runs": CommandPlace("cortex.cli.runs_command:runs", "List the runs."),
    "timeline": CommandPlace(
        "cortex.cli.timeline_command:timeline", "What happened in a run or to a resource, in order."
    ),
    "show": CommandPlace("cortex.cli.show_command:show", "Show a workspace as it was at a moment."),
    "diff": CommandPlace("cortex.cli.diff_command:diff", "Show what changed between two moments."),
    "why": CommandPlace(
        "cortex.cli.why_command:why", "Say which change and decision wrote a line."
    ),
    "recall": CommandPlace(
        "cortex.cli.recall_command:recall", "Find what earlier runs decided and changed."
    ),
    "restore": CommandPlace(
        "cortex.cli.restore_command:restore", "Write the files of a moment into a new place."
    ),
    "fork": CommandPlace(
        "cortex.cli.fork_command:fork", "Begin a new run from the state of a moment."
    ),
    "export": CommandPlace("cortex.cli.export_command:export", "Write events to a file, lossless."),
    "import": CommandPlace("cortex.cli.import_command:import_", "Publish an export again."),
    "verify": CommandPlace(
        "cortex.cli.verify_command:verify", "Prove that history equals what happened."
    ),
    "quarantine": CommandPlace(
        "cortex.cli.quarantine_command:quarantine", "Look at messages that were no events."
    ),
    "run": CommandPlace("cortex.cli.run_command:run", "Let the swarm work on a repository."),
    "orchestrate": CommandPlace(
        "cortex.cli.work_commands:orchestrate", "Bring runs on: the orchestrator."
    ),
    "worker": CommandPlace("cortex.cli.work_commands:worker", "Work on the tasks of a role."),
    "tasks": CommandPlace("cortex.cli.run_commands:tasks", "List tasks of runs."),
    "cancel": CommandPlace("cortex.cli.run_commands:cancel", "End a run before it is done."),
    "pause": CommandPlace("cortex.cli.run_commands:pause", "Begin no more tasks of a run."),
    "resume": CommandPlace("cortex.cli.run_commands:resume", "Go on with a run."),
    "session": CommandPlace(
        "cortex.cli.session_commands:session", "Mirror and import sessions of foreign agents."
    ),
    "hooks": CommandPlace(
        "cortex.cli.hooks_commands:hooks", "Let foreign agents say what they do as they do it."
    ),
    "gate": CommandPlace(
        "cortex.cli.gate_commands:gate", "Check and try policies for foreign agents' tools."
    ),
    **{
        name: CommandPlace(
            f"cortex.cli.sharing.table:{name.replace('-', '_')}",
            vars(table)[name.replace("-", "_")].summary,
        )
        for name in (
            *("init", "agents", "claim", "release", "complete", "step-status", "steps"),
            *("wait-for", "send", "inbox", "memory", "artifact", "guide"),
        )
    },
    "ingest": CommandPlace("cortex.cli.ingest_command:ingest", "Run the ingestor."),
    "prune": CommandPlace("cortex.cli.prune_command:prune", "Drop expired history, keep heads."),
    "backup": CommandPlace("cortex.cli.backup_command:backup", "Make a verified copy of the home."),
    "bench": CommandPlace("cortex.cli.bench_command:bench", "Measure speed on this machine."),
    "version": CommandPlace("cortex.cli.stack_commands:version", "Print versions."),
}


class LazyGroup(TyperGroup):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Import one command, or return None where there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        if cmd_name not in self.commands:
            self.commands[cmd_name] = load_command(cmd_name)
        return self.commands[cmd_name]

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """List the commands in the help text without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in COMMANDS.items()])


def load_command(name: str) -> Any:
    """Import the function or group behind one name of the table."""
    entry = COMMANDS[name]
    module, _, attribute = entry.place.partition(":")
    target = getattr(importlib.import_module(module), attribute)
    if isinstance(target, PlainCommand | PlainGroup):
        target = _typed(target)
    if isinstance(target, typer.Typer):
        return _load_group(target, entry)
    holder = _new_app()
    holder.command(name, short_help=entry.summary)(with_common_options(target))
    return typer.main.get_command(holder)


def _typed(described: PlainCommand | PlainGroup) -> Any:
    from cortex.cli.plain_typer import typed_function, typed_group

    if isinstance(described, PlainGroup):
        return typed_group(described, with_common_options)
    return typed_function(described)


def build_app() -> Any:
    """Return the command `swarm`."""
    app = _new_app(cls=LazyGroup, no_args_is_help=True)
    app.callback()(with_common_options(swarm))
    return typer.main.get_command(app)


def swarm() -> None:
    """Flight recorder and nervous system for swarms of AI agents."""


def with_common_options(function: Function) -> Function:
    """Return `function` with the options of every command; coroutines are run to their end."""
    signature = inspect.signature(function, eval_str=True)

    @functools.wraps(function)
    def command(**arguments: Any) -> None:
        for option in _COMMON:
            arguments.pop(option.name)
        try:
            if inspect.iscoroutinefunction(function):
                asyncio.run(function(**arguments))
            else:
                function(**arguments)
        except (BrokenPipeError, ExceptionGroup) as error:
            end_quietly_without_reader(error)
            raise

    parameters = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for parameter in signature.parameters.values()
    ]
    merged = signature.replace(parameters=[*parameters, *_COMMON])
    annotations = {parameter.name: parameter.annotation for parameter in merged.parameters.values()}
    # typer reads both; functools.wraps has filled them from the function without the options
    vars(command).update(__signature__=merged)
    command.__annotations__ = annotations
    vars(command).pop("__wrapped__")
    return command


def _load_group(group: typer.Typer, entry: CommandPlace) -> Any:
    for info in group.registered_commands:
        if info.callback is not None and not hasattr(info.callback, "__signature__"):
            info.callback = with_common_options(info.callback)
    group.info.help = entry.summary
    group.rich_markup_mode = None
    return typer.main.get_group(group)


def _new_app(**options: Any) -> typer.Typer:
    # plain help text: importing rich would take longer than everything else that --help does
    return typer.Typer(
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
        **options,
    )


def _take_home(ctx: typer.Context, value: Path | None) -> None:
    if value is not None:
        Session.of(ctx).given_home = value


def _take_traceback(ctx: typer.Context, value: bool) -> None:
    if value:
        Session.of(ctx).traceback = True


def _take_log_format(ctx: typer.Context, value: LogFormat | None) -> None:
    session = Session.of(ctx)
    session.log_format = value or session.log_format
    configure_logging(session.log_format, logging.WARNING)


def _common_option(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default
    )


_COMMON = (
    _common_option(
        "common_home",
        Annotated[
            Path | None,
            typer.Option(
                "--home",
                metavar="DIR",
                help="The home itself; default: SWARM_HOME, or the nearest .swarm/.",
                callback=_take_home,
            ),
        ],
        None,
    ),
    _common_option(
        "common_traceback",
        Annotated[
            bool,
            typer.Option(
                "--traceback", help="Show where an error came from.", callback=_take_traceback
            ),
        ],
        False,
    ),
    _common_option(
        "common_log_format",
        Annotated[
            LogFormat | None,
            typer.Option(
                "--log-format",
                help="How log records look on stderr; default: text.",
                callback=_take_log_format,
                show_choices=True,
            ),
        ],
        None,
    ),
)
