"""Where messages and heads come from: the bus, or history itself where the stream has expired."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from infrastructure.history.verify.heads import Witness
from infrastructure.history.verify.messages import Messages
from infrastructure.history.verify.store import VerifyStore


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamState:
    """What the bus holds of a stream."""

    name: str
    identity: str
    """`name@created`; empty where there is no such stream."""
    first: int
    """First sequence that it still holds; beyond `last` where it holds nothing."""
    last: int
    """Highest sequence that it ever gave."""

    def split(
        self, first: int, last: int
    ) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]]:
        """Return what of a range lies before, within and beyond what the stream holds.

        An empty part ends before it begins.
        """
        held_from = min(self.first, self.last + 1)
        before = (first, min(last, held_from - 1))
        within = (max(first, held_from), min(last, self.last))
        beyond = (max(first, self.last + 1), last)
        return before, within, beyond


class MessageSource(Protocol):
    """The bus as verification reads it."""

    async def state(self, stream: str) -> StreamState:
        """Return what the bus holds of a stream now."""
        ...

    async def witnesses(self, stream: str) -> list[Witness] | None:
        """Return the heads in SWARM_CHECKPOINTS, oldest first; None where it does not exist."""
        ...

    async def noted_streams(self) -> list[str]:
        """Return the streams of which SWARM_CHECKPOINTS has heads."""
        ...

    async def last_noted(self, stream: str) -> int:
        """Return the sequence of the head noted last; 0 for none."""
        ...

    def read(self, stream: str, first: int, last: int) -> AsyncIterator[Messages]:
        """Yield the messages from `first` to `last`, both included, in order."""
        ...


async def read_everything(
    source: MessageSource, store: VerifyStore, state: StreamState, first: int, last: int
) -> AsyncIterator[Messages]:
    """Yield the messages of a range: the stream's, and history's own where the stream has none."""
    before, within, beyond = state.split(first, last)
    async for messages in read_history(store, state.name, *before):
        yield messages
    if within[0] <= within[1]:
        async for messages in source.read(state.name, *within):
            yield messages
    async for messages in read_history(store, state.name, *beyond):
        yield messages


async def read_history(
    store: VerifyStore, stream: str, first: int, last: int
) -> AsyncIterator[Messages]:
    """Yield the messages that history holds itself, at most a few megabytes at a time."""
    limit = 4_000
    while first <= last:
        found = Messages(*await asyncio.to_thread(store.messages, stream, first, last, limit))
        if not found.sequences:
            return
        distinct = _distinct(found)
        yield distinct
        first = distinct.sequences[-1] + 1


def _distinct(messages: Messages) -> Messages:
    """Return one message per sequence: a doubled row is the comparison's business."""
    kept: dict[int, int] = {}
    for at, sequence in enumerate(messages.sequences):
        kept.setdefault(sequence, at)
    if len(kept) == len(messages):
        return messages
    return Messages(
        list(kept),
        [messages.subjects[at] for at in kept.values()],
        [messages.payloads[at] for at in kept.values()],
    )


def names_of(streams: Sequence[str], main: str) -> list[str]:
    """Return the streams to verify, the main one first."""
    return [main, *sorted(set(streams) - {main})]
