"""Commands described as data, for those that have to be quick.

Loading typer takes longer than a whole claim may. What such a command takes is written down once;
`parse_plain` reads plain arguments by it, and `cortex.cli.plain_typer` makes the command of it that
`swarm --help` and the reference show, and that answers whatever is not plain: help, mistakes.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

COMMON = {"--home": Path, "--log-format": str}
"""Options of every command that take a value; `Session` keeps them."""
COMMON_FLAG = "--traceback"


class Word(NamedTuple):
    """An argument without a name."""

    name: str
    help: str
    metavar: str
    many: bool = False
    """The rest of the arguments."""
    required: bool = True


class Option(NamedTuple):
    """A named argument; a switch where `kind` is bool, repeatable where its default is a tuple."""

    flags: tuple[str, ...]
    """`--name`, and perhaps `-n`."""
    help: str
    kind: type[Any] = bool
    default: Any = False
    metavar: str = ""
    least: float | None = None
    """Smallest number that is meant."""
    called: str = ""
    """Name of the function's parameter; by default that of the option."""

    @property
    def name(self) -> str:
        """Name of the function's parameter."""
        return self.called or self.flags[0].removeprefix("--").replace("-", "_")


class PlainCommand(NamedTuple):
    """A command; its function gets the session, and the arguments by name."""

    place: str
    """`module:function`."""
    summary: str
    help: str
    words: tuple[Word, ...] = ()
    options: tuple[Option, ...] = ()


class PlainGroup(NamedTuple):
    """Commands under one name."""

    summary: str
    commands: Mapping[str, PlainCommand]


class Parsed(NamedTuple):
    """What plain arguments say."""

    arguments: dict[str, Any]
    common: dict[str, Any]
    """`--home`, `--log-format` and `--traceback`, as far as they are given."""


class _NotPlainError(Exception):
    """To be read by the parser that can also explain."""


def parse_plain(command: PlainCommand, given: Sequence[str]) -> Parsed | None:
    """Return what arguments say, by name; None where they are wrong, or ask for help."""
    options = {flag: option for option in command.options for flag in option.flags}
    arguments: dict[str, Any] = {option.name: option.default for option in command.options}
    common: dict[str, Any] = {}
    words: list[str] = []
    rest = list(given)
    try:
        while rest:
            argument = rest.pop(0)
            if argument == "--":
                words += rest
                break
            if argument == COMMON_FLAG:
                common[argument] = True
            elif argument.startswith("-") and argument != "-":
                _take_option(argument, rest, options, arguments, common)
            else:
                words.append(argument)
        return Parsed(arguments | _take_words(command.words, words), common)
    except (_NotPlainError, ValueError):
        return None


def _take_option(
    argument: str,
    rest: list[str],
    options: Mapping[str, Option],
    arguments: dict[str, Any],
    common: dict[str, Any],
) -> None:
    flag, has_value, value = argument.partition("=")
    option = options.get(flag)
    if (option is None and flag not in COMMON) or (has_value and not flag.startswith("--")):
        raise _NotPlainError
    if option is not None and option.kind is bool:
        if has_value:
            raise _NotPlainError
        arguments[option.name] = True
        return
    text = value if has_value else _next(rest)
    if option is None:
        common[flag] = COMMON[flag](text)
        return
    found = _value(option, text)
    is_many = isinstance(option.default, tuple)
    arguments[option.name] = (*arguments[option.name], found) if is_many else found


def _next(rest: list[str]) -> str:
    if not rest or rest[0].startswith("-"):
        raise _NotPlainError
    return rest.pop(0)


def _value(option: Option, text: str) -> Any:
    value = option.kind(text)
    if option.kind in {int, float}:
        # what else Python reads as a number is for the other parser to judge
        is_plain = text.isascii() and "_" not in text and text == text.strip()
        if not is_plain or not math.isfinite(value):
            raise _NotPlainError
        if option.least is not None and value < option.least:
            raise _NotPlainError
    return value


def _take_words(known: Sequence[Word], words: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    left = list(words)
    for word in known:
        if word.many:
            found[word.name], left = left, []
        else:
            found[word.name] = left.pop(0) if left else ""
        if word.required and not found[word.name]:
            raise _NotPlainError
    if left:
        raise _NotPlainError
    return found


def function_of(command: PlainCommand) -> Callable[..., Any]:
    """Import the function of a command."""
    from importlib import import_module

    module, _, name = command.place.partition(":")
    function: Callable[..., Any] = getattr(import_module(module), name)
    return function
