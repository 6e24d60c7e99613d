"""`python -m cortex.cli.reference`: the help text of every command, as Markdown.

`docs/reference/cli.md` is this output, and a test compares the two.
"""

import sys
from collections.abc import Iterator
from typing import Any

from cortex.cli.app import COMMANDS, build_app

WIDTH = 100
HEAD = """# The command `swarm`

Written by `python -m cortex.cli.reference > docs/reference/cli.md` from the help texts.

Every command takes `--home DIR`, the home itself; without it `SWARM_HOME`, then the nearest \
parent's `.swarm/`, then `.swarm/` here. Results go to stdout, messages and progress to stderr, \
progress only on a terminal.

| exit code | means |
|---|---|
| 0 | done |
| 1 | refused, failed, not found, timed out: one line on stderr says what and what to do |
| 2 | wrong usage |
| 3 | a server cannot be reached |
| 130 | interrupted by Ctrl-C |
| other | `claim STEP -- COMMAND`: that of the command, 127 where there is no such command, 128 \
and the signal where one has ended it |
| 129, 143 | `bench` was ended by SIGHUP, SIGTERM, and has removed its stack |

A service that is asked to stop drains first: it finishes what it has taken. With SIGTERM, `up` \
and `ingest` then exit 0. With Ctrl-C, `up` exits 130, and `ingest` 0.

Commands that read history (`sql`, `events`, `replay`, `export`, `quarantine`, `verify`) first \
wait until it has reached the end of the stream as it was when they were called, up to 10 s; \
`--no-wait` reads what is there. With `--json` they print an array of objects, or one object: \
64-bit integers as numbers, times RFC 3339 in UTC, bytes that are not UTF-8 as base64. Commands \
that follow print JSON lines. Times are given as RFC 3339 (`2026-01-31T09:30:00Z`) or as an age \
(`10m`, `2h`, `1d`).
"""


def reference() -> str:
    """Return the whole document."""
    root = build_app()
    context = root.make_context("swarm", [], resilient_parsing=True, terminal_width=WIDTH)
    sections = [_section(2, "swarm", root, context)]
    for name in COMMANDS:
        sections += _command_sections(2, name, root.get_command(context, name), context)
    return HEAD + "\n" + "\n".join(sections)


def _command_sections(depth: int, name: str, command: Any, parent: Any) -> Iterator[str]:
    context = type(parent)(command, parent=parent, info_name=name, terminal_width=WIDTH)
    yield _section(depth, context.command_path, command, context)
    for inner in command.list_commands(context) if hasattr(command, "list_commands") else ():
        yield from _command_sections(depth + 1, inner, command.get_command(context, inner), context)


def _section(depth: int, title: str, command: Any, context: Any) -> str:
    return f"{'#' * depth} `{title}`\n\n```text\n{command.get_help(context).rstrip()}\n```\n"


def main() -> None:
    """Print the document."""
    sys.stdout.write(reference())


if __name__ == "__main__":
    main()
