"""`swarm memory`: values that agents share."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing

from cortex.cli.session import Session
from cortex.cli.sharing import shown
from cortex.cli.sharing.mail_commands import read_text
from cortex.cli.sharing.part import note, open_part
from cortex.coordination.errors import clock_time
from cortex.coordination.memory_rules import Value, parse_json
from nervous_system.errors import ConfigError

TYPES = ("text", "json")


async def get(session: Session, *, key: str, project: str, as_json: bool) -> None:
    """Print a value."""
    async with open_part(session, project, f"reading {key}") as part:
        found = await part.project.memory.get(key)
    if as_json:
        shown.print_json(shown.value_view(found))
    else:
        print(found.text)


async def set_(
    session: Session,
    *,
    key: str,
    value: str,
    written_as: str,
    if_revision: int | None,
    because: Sequence[str],
    project: str,
    as_json: bool,
) -> None:
    """Keep a value."""
    if written_as not in TYPES:
        raise ConfigError(
            variable="--type", given=written_as, expected="text or json", fix="correct it"
        )
    text = read_text(value)
    kept = parse_json(key, text) if written_as == "json" else text
    async with open_part(session, project, f"setting {key}") as part:
        # a JSON text is a JSON value all the same
        found = await part.project.memory.set(
            key, kept, as_json=written_as == "json", if_revision=if_revision, because=because
        )
    if found.redacted:
        note(f"{found.redacted} secrets were taken out of the value: keep them elsewhere")
    _print_changed(found, as_json)


async def list_(session: Session, *, path: str, project: str, as_json: bool) -> None:
    """List the values."""
    async with open_part(session, project, "listing values") as part:
        found = await part.project.memory.list(path)
    if as_json:
        shown.print_json([shown.value_view(one) for one in found])
    else:
        shown.print_table([[one.key, _short(one), one.agent] for one in found])


async def history(session: Session, *, key: str, project: str, as_json: bool) -> None:
    """List all that a key has held."""
    async with open_part(session, project, f"reading the history of {key}") as part:
        found = await part.project.memory.history(key)
    if as_json:
        shown.print_json([shown.value_view(one) for one in found])
    else:
        shown.print_table(
            [[str(one.revision), shown.rfc3339(one.at) or "", one.agent, _short(one)]
             for one in found]
        )  # fmt: skip


async def delete(
    session: Session,
    *,
    key: str,
    if_revision: int | None,
    because: Sequence[str],
    project: str,
    as_json: bool,
) -> None:
    """Delete a value."""
    async with open_part(session, project, f"deleting {key}") as part:
        found = await part.project.memory.delete(key, if_revision=if_revision, because=because)
    _print_changed(found, as_json)


async def watch(
    session: Session, *, path: str, limit: int, timeout: float, project: str, as_json: bool
) -> None:
    """Follow changes of values."""
    count = 0
    async with open_part(session, project, f"watching {path or 'values'}", stays=True) as part:
        try:
            async with (
                asyncio.timeout(timeout or None),
                aclosing(part.project.memory.watch(path)) as changes,
            ):
                async for one in changes:
                    _print_change(one, as_json)
                    count += 1
                    if count == limit:
                        return
        except TimeoutError:
            if limit:
                from cortex.cli.errors import CommandFailedError

                raise CommandFailedError(
                    f"{count} of {limit} changes came in time: wait longer, or ask for less"
                ) from None


def _print_changed(value: Value, as_json: bool) -> None:
    if as_json:
        shown.print_json(shown.value_view(value))
    elif value.exists:
        print(f"{value.key} is at revision {value.revision}")
    else:
        print(f"{value.key} is deleted, at revision {value.revision}")


def _print_change(value: Value, as_json: bool) -> None:
    if as_json:
        shown.print_json_line(shown.value_view(value))
        return
    at = clock_time(value.at) if value.at else ""
    print(f"{at} {shown.one_line(value.agent)} {value.key} = {_short(value)}", flush=True)


def _short(value: Value) -> str:
    text = shown.one_line(value.text) if value.exists else "(deleted)"
    return text if len(text) <= 80 else f"{text[:77]}..."
