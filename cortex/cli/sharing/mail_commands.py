"""`swarm send inbox`: messages between agents."""

import asyncio
import sys
from collections.abc import Sequence
from contextlib import aclosing

from cortex.cli.session import Session
from cortex.cli.sharing import shown
from cortex.cli.sharing.part import Part, note, open_part
from cortex.coordination.errors import ValueRefusedError
from cortex.coordination.mailbox import Shown


async def send(
    session: Session,
    *,
    recipient: str,
    text: str,
    step: str,
    hold: bool,
    because: Sequence[str],
    project: str,
    as_json: bool,
) -> None:
    """Tell an agent something, or everybody."""
    said = read_text(text)
    async with open_part(session, project, f"writing to {recipient}") as part:
        sent = await part.project.send(recipient, said, step=step, hold=hold, because=because)
    if sent.redacted:
        note(f"{sent.redacted} secrets were taken out of the text")
    if as_json:
        shown.print_json(
            {"id": sent.message_id, "to": sent.recipient, "sequence": sent.sequence}
            | {"redacted": sent.redacted}
        )
    else:
        print(f"sent to {shown.one_line(sent.recipient)}")


async def inbox(
    session: Session,
    *,
    new: bool,
    delete: bool,
    remove: Sequence[str],
    follow: bool,
    limit: int,
    timeout: float,
    project: str,
    as_json: bool,
) -> None:
    """Read what others have told this agent."""
    async with open_part(session, project, "reading its inbox", stays=follow) as part:
        if remove:
            count = await part.project.mailbox.remove(*remove)
            shown.print_json({"removed": count}) if as_json else print(f"removed {count}")
        elif follow:
            await _follow(part, limit, timeout, as_json=as_json, delete=delete)
        else:
            found = await part.project.inbox(new=new)
            _print(found, as_json=as_json)
            if delete and found:
                sys.stdout.flush()  # shown first: what is deleted is not shown again
                await part.project.mailbox.remove_through(found[-1].message.sequence)


def read_text(text: str) -> str:
    """Return the text of an argument; `-` stands for standard input.

    Raises:
        ValueRefusedError: what comes there is no text.
    """
    if text != "-":
        return text
    try:
        return sys.stdin.buffer.read().decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueRefusedError(key="standard input", reason="it is not UTF-8") from error


def _print(found: Sequence[Shown], *, as_json: bool) -> None:
    if as_json:
        shown.print_json([shown.message_view(one) for one in found])
        return
    for one in found:
        shown.print_message(one)


async def _follow(part: Part, limit: int, timeout: float, *, as_json: bool, delete: bool) -> None:
    count = 0
    try:
        async with (
            asyncio.timeout(timeout or None),
            aclosing(part.project.mailbox.follow()) as messages,
        ):
            async for one in messages:
                shown.print_json_line(shown.message_view(one)) if as_json else shown.print_message(
                    one
                )
                if delete:
                    await part.project.mailbox.remove(one.message.message_id)
                count += 1
                if count == limit:
                    return
    except TimeoutError:
        if limit:
            from cortex.cli.errors import CommandFailedError

            raise CommandFailedError(
                f"{count} of {limit} messages came in time: wait longer, or ask for less"
            ) from None
