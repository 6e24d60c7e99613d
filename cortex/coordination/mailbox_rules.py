"""What an agent is shown of its mailbox, and what it has read or removed. Pure.

Messages lie in the stream in the order in which they were stored, which is also each sender's own.
What an agent has read is one number: everything up to there. What it has removed is a number too,
and the ids of single messages behind it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from cortex.coordination.errors import MessageMissingError
from nervous_system.payloads import BROADCAST


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What one agent told another, or everybody."""

    message_id: str
    """Id of its event."""
    sequence: int
    sender: str
    """As the bus has it."""
    recipient: str
    text: str
    step: str
    """What it is about; empty: no step."""
    at: datetime
    """When the server stored it, UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How far an agent has read."""

    read_through: int = 0
    removed_through: int = 0
    removed: frozenset[str] = frozenset()
    """Ids of messages behind `removed_through`."""
    sequence: int = 0
    """Of the message that says so; the next one depends on it."""
    event_id: str = ""

    def is_unread(self, message: Message) -> bool:
        """Whether the agent has not been shown it."""
        return message.sequence > self.read_through


def visible(messages: Iterable[Message], reading: Reading, reader: str) -> list[Message]:
    """Return what lies in a mailbox: without what was removed, and without one's own broadcasts."""
    return [
        one
        for one in messages
        if one.sequence > reading.removed_through
        and one.message_id not in reading.removed
        and not (one.recipient == BROADCAST and one.sender == reader)
    ]


def read(messages: Sequence[Message], reading: Reading) -> Reading:
    """Return what has been read once these, all that there are up to the last, have been shown."""
    last = max((one.sequence for one in messages), default=0)
    return replace(reading, read_through=max(reading.read_through, last))


def removed_all(messages: Sequence[Message], reading: Reading) -> Reading:
    """Return what is left once these, all that there are up to the last, are removed."""
    last = max((one.sequence for one in messages), default=0)
    through = max(reading.removed_through, last)
    later = {one.message_id for one in messages if one.sequence > through}
    return replace(
        read(messages, reading), removed_through=through, removed=reading.removed & later
    )


def removed_some(
    messages: Sequence[Message], gone: Iterable[str], reading: Reading, reader: str
) -> Reading:
    """Return what is left once some are removed.

    Args:
        messages: all that there are behind `reading.removed_through`, in order.
        gone: ids of those to remove.
        reading: before.
        reader: whose mailbox it is.
    """
    removed = reading.removed | frozenset(gone)
    through = reading.removed_through
    kept = {one.message_id for one in visible(messages, reading, reader)} - removed
    for one in messages:  # what is gone up to the first that is left needs no ids
        if one.message_id in kept:
            break
        through = max(through, one.sequence)
    behind = {one.message_id for one in messages if one.sequence > through}
    return replace(reading, removed_through=through, removed=removed & behind)


def find_message(messages: Iterable[Message], prefix: str) -> str:
    """Return the id that begins so.

    Raises:
        MessageMissingError: there is none, or more than one.
    """
    wanted = prefix.lower()
    found = [one.message_id for one in messages if wanted and one.message_id.startswith(wanted)]
    if len(found) != 1:
        raise MessageMissingError(message_id=prefix, count=len(found))
    return found[0]
