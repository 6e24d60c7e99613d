"""Commands described as data, as typer takes them: for help, the reference, and wrong usage."""

import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

from cortex.cli.plain import Option, PlainCommand, PlainGroup, Word, function_of
from cortex.cli.session import Session


def typed_function(command: PlainCommand) -> Callable[..., Any]:
    """Return a function that typer can make the command of."""

    def run(ctx: typer.Context, **arguments: Any) -> Any:
        given = {name: _plain(value) for name, value in arguments.items()}
        return function_of(command)(Session.of(ctx), **given)

    parameters = [
        _parameter("ctx", typer.Context, inspect.Parameter.empty),
        *map(_word, command.words),
        *map(_option, command.options),
    ]
    vars(run).update(__signature__=inspect.Signature(parameters))
    run.__annotations__ = {one.name: one.annotation for one in parameters}
    run.__doc__ = command.help
    return _awaited(run) if _is_async(command) else run


def typed_group(
    group: PlainGroup, complete: Callable[[Callable[..., Any]], Callable[..., Any]]
) -> typer.Typer:
    """Return the commands of a group; `complete` gives each what every command has."""
    app = typer.Typer(no_args_is_help=True)
    for name, command in group.commands.items():
        app.command(name, short_help=command.summary)(complete(typed_function(command)))
    return app


def _is_async(command: PlainCommand) -> bool:
    return inspect.iscoroutinefunction(function_of(command))


def _awaited(run: Callable[..., Any]) -> Callable[..., Any]:
    """Return `run` as a coroutine function, as which the command line knows what to do with it."""

    async def run_async(*words: Any, **arguments: Any) -> None:
        await run(*words, **arguments)

    vars(run_async).update(__signature__=inspect.signature(run))
    run_async.__annotations__ = run.__annotations__
    run_async.__doc__ = run.__doc__
    return run_async


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _word(word: Word) -> inspect.Parameter:
    kind: Any = list[str] if word.many else str
    argument = typer.Argument(help=word.help, metavar=word.metavar, show_default=False)
    default: Any = ... if word.required else ([] if word.many else "")
    empty = inspect.Parameter.empty
    return _parameter(word.name, Annotated[kind, argument], empty if default is ... else default)


def _option(option: Option) -> inspect.Parameter:
    is_many = isinstance(option.default, tuple)
    kind: Any = list[option.kind] if is_many else option.kind  # type: ignore[name-defined] # a value
    limits: dict[str, Any] = {} if option.least is None else {"min": option.least}
    if option.metavar:
        limits["metavar"] = option.metavar
    shows = option.kind is not bool and option.default not in (None, "", ())
    declared: tuple[Any, ...] = option.flags
    found = typer.Option(*declared, help=option.help, show_default=shows, **limits)
    if option.default is None:
        kind = kind | None
    default = list(option.default) if is_many else option.default
    return _parameter(option.name, Annotated[kind, found], default)


def _parameter(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default
    )
