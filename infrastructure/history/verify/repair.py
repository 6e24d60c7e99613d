"""Rebuilds damaged stretches of history from the stream, partition by partition.

A partition is put together in a table beside history: sound rows are copied as they are, damaged
batches are decoded again from the stream and end where their noted heads say. Only when every root
is right does the new partition take the old one's place, in one statement. A crash before it leaves
history as it was, a crash after it leaves it repaired; what the stream no longer has is only ever
copied, never dropped.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from infrastructure.errors import InsertRejectedError, QueryFailedError, RepairMismatchError
from infrastructure.history.client import HistoryClient
from infrastructure.history.refusals import blames_rows
from infrastructure.history.verify.findings import ProblemKind, Report
from infrastructure.history.verify.ledger import Entry, Leaves
from infrastructure.history.verify.messages import Messages
from infrastructure.history.verify.refusal import refused_positions
from infrastructure.history.verify.repair_plan import (
    Range,
    Rebuild,
    by_partition,
    find_path,
    follower,
    merge_ranges,
    partition_of,
    partitions_of,
)
from infrastructure.history.verify.repair_table import RepairTable
from infrastructure.history.verify.service import StreamResult, Verification
from infrastructure.history.verify.source import MessageSource, read_everything
from infrastructure.history.verify.store import VerifyStore, is_damage, open_store
from infrastructure.ingestor.batching import PARTITION_ROWS
from infrastructure.ingestor.decoding import decode
from infrastructure.ingestor.encoding import Batch, Envelopes
from infrastructure.ingestor.ledger import Head

MAX_REPAIRS = 2
"""Repairs of one call; what the second is for says `mend`."""
MAX_GOALS = 8
"""Sound heads behind a damaged stretch that are tried as its end."""


@dataclass(slots=True)
class RepairOutcome:
    """What a repair did and what it could not do."""

    repaired: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


async def repair(
    client: HistoryClient, source: MessageSource, verification: Verification
) -> RepairOutcome:
    """Rebuild what a verification of everything found to be damaged.

    Verify again afterwards: what could not be repaired is still there and still reported.

    Raises:
        HistoryUnavailableError: history cannot be reached.
        QueryFailedError: history refused a statement.
        BusUnavailableError: the stream cannot be read.
    """
    outcome = RepairOutcome()
    async with open_store(client) as store:
        for result in verification.streams:
            ranges = damaged_ranges(result, verification.report)
            if ranges:
                await StreamRepair(client, store, source, result, outcome).run(ranges)
    return outcome


async def mend(
    client: HistoryClient,
    source: MessageSource,
    found: Verification,
    verify_again: Callable[[], Awaitable[Verification]],
) -> tuple[Verification, RepairOutcome]:
    """Repair, verify, and where rows are missing then, repair once more.

    What an ingestor appends in the moment in which a partition is replaced is gone; mostly it
    notices and appends it again, but not across the edge of a partition.

    Returns:
        What the last verification found, and what was done in all.
    """
    outcome = RepairOutcome()
    for attempt in range(MAX_REPAIRS):
        if found.report.is_ok or (attempt and not _is_row_missing(found.report)):
            break
        done = await repair(client, source, found)
        outcome = RepairOutcome([*outcome.repaired, *done.repaired], done.refused)
        found = await verify_again()
    return found, outcome


def _is_row_missing(report: Report) -> bool:
    return any(problem.kind is ProblemKind.MISSING_ROW for problem in report.problems)


def damaged_ranges(result: StreamResult, report: Report) -> list[Range]:
    """Return the ranges of one stream to be rebuilt, also those beyond the end of history."""
    found = [(one, one) for one in result.outcome.bad_sequences]
    found += result.outcome.bad_ranges
    found += [
        (problem.sequence, problem.last_sequence or problem.sequence)
        for problem in report.problems
        if problem.kind is ProblemKind.TAIL_CUT and problem.stream == result.state.name
    ]
    return merge_ranges(found)


class StreamRepair:
    """Repairs one stream."""

    def __init__(
        self,
        client: HistoryClient,
        store: VerifyStore,
        source: MessageSource,
        result: StreamResult,
        outcome: RepairOutcome,
    ) -> None:
        self._table = RepairTable(client, result.state.name)
        self._store = store
        self._source = source
        self._result = result
        self._outcome = outcome
        self._stream = result.state.name
        self._entries: list[Entry] = []

    async def run(self, ranges: Sequence[Range]) -> None:
        """Rebuild these ranges."""
        self._entries = await asyncio.to_thread(self._sound_entries, ranges)
        rebuilds: list[Rebuild] = []
        for damaged in ranges:
            done = rebuilds[-1].heads[-1] if rebuilds else Head(self._stream, 0)
            if damaged[1] <= done.sequence:
                continue
            rest = (max(damaged[0], done.sequence + 1), damaged[1])
            rebuild = await self._plan(rest, done)
            if rebuild is None:
                self._refuse(damaged, "no noted heads lead through it over what the stream has")
            else:
                rebuilds.append(rebuild)
        for partition, batches in by_partition(rebuilds).items():
            await self._rebuild(partition, batches)

    def _sound_entries(self, ranges: Sequence[Range]) -> list[Entry]:
        """Return the entries around the damage that are the roots of their batches."""
        found: list[Entry] = []
        for partition in partitions_of(ranges):
            start = partition * PARTITION_ROWS
            found += self._readable_entries(start, start + PARTITION_ROWS - 1)
        edge = partition_of(ranges[0][0]) * PARTITION_ROWS
        before = self._store.entry_before(self._stream, edge)
        found += [before] if before else []
        doubtful = self._result.outcome.doubtful
        return sorted(entry for entry in set(found) if entry.sequence not in doubtful)

    def _readable_entries(self, first: int, last: int) -> list[Entry]:
        """Return entries around what cannot be read."""
        gaps = [pair for pair in self._result.outcome.bad_ranges if first <= pair[0] <= last]
        edges = [(first, last)]
        try:
            return self._store.entries(self._stream, first, last)
        except QueryFailedError as error:
            if not is_damage(error):
                raise
        for gap in merge_ranges(gaps):
            low, high = edges.pop()
            edges += [(low, gap[0] - 1), (gap[1] + 1, high)]
        return [
            entry
            for low, high in edges
            if low <= high
            for entry in self._store.entries(self._stream, low, high)
        ]

    async def _plan(self, damaged: Range, done: Head) -> Rebuild | None:
        """Return how to rebuild a range that begins behind what is rebuilt already."""
        start = max(self._anchor(damaged[0]), done)
        goals = [
            Head(self._stream, entry.sequence, entry.root)
            for entry in self._entries
            if entry.sequence >= damaged[1]
        ]
        pool = self._pool()
        noted = max((head.sequence for head in pool), default=0)
        end = goals[min(len(goals), MAX_GOALS) - 1].sequence if goals else noted
        leaves = await self._leaves(start.sequence + 1, end)
        follows = follower(leaves, self._result.state.identity)
        for goal in goals[:MAX_GOALS]:
            if path := find_path(start, pool, follows, goal):
                return Rebuild(start, tuple(path))
        path = [] if goals else find_path(start, pool, follows, None)
        return Rebuild(start, tuple(path)) if path else None

    def _anchor(self, first: int) -> Head:
        """Return the last sound head before a damaged range."""
        known = [*self._entries]
        if self._result.scope.before is not None:
            known.append(self._result.scope.before)
        before = [entry for entry in known if entry.sequence < first]
        if not before:
            return Head(self._stream, 0)
        last = max(before)
        return Head(self._stream, last.sequence, last.root)

    def _pool(self) -> list[Head]:
        """Return the heads that may end a batch: noted, in the ledger, or named by the next."""
        pool = {witness.head for witness in self._result.witnesses}
        for entry in self._entries:
            pool.add(Head(self._stream, entry.sequence, entry.root))
            pool.add(Head(self._stream, entry.prev_sequence, entry.prev_root))
        return sorted(pool)

    async def _leaves(self, first: int, last: int) -> Leaves:
        found = Leaves([], [])
        async for messages in self._messages(first, last):
            found.add(messages)
        return found

    async def _messages(self, first: int, last: int) -> AsyncIterator[Messages]:
        """Yield messages: the stream's, history's own where the stream has expired or is wrong."""
        vouched = sorted(one for one in self._result.outcome.vouched if first <= one <= last)
        async for messages in read_everything(
            self._source, self._store, self._result.state, first, last
        ):
            yield await self._with_vouched(messages, vouched) if vouched else messages

    async def _with_vouched(self, messages: Messages, vouched: Sequence[int]) -> Messages:
        """Put the rows that the ledger vouches for in the place of the stream's messages."""
        low, high = messages.sequences[0], messages.sequences[-1]
        listed = {
            sequence: (subject, raw)
            for sequence, subject, raw in zip(
                messages.sequences, messages.subjects, messages.payloads, strict=True
            )
        }
        for sequence in vouched:
            if low <= sequence <= high:
                stored = await asyncio.to_thread(
                    self._store.messages, self._stream, sequence, sequence, 1
                )
                listed[sequence] = (stored[1][0], stored[2][0])
        ordered = sorted(listed)
        return Messages(
            ordered, [listed[one][0] for one in ordered], [listed[one][1] for one in ordered]
        )

    async def _rebuild(self, partition: int, batches: list[tuple[Head, Head]]) -> None:
        start, end = batches[0][0].sequence + 1, batches[-1][1].sequence
        await asyncio.to_thread(self._table.create)
        try:
            for before, after in batches:
                await self._write(before, after)
            written = merge_ranges((one.sequence + 1, two.sequence) for one, two in batches)
            await asyncio.to_thread(self._table.keep_and_replace, partition, written)
        except RepairMismatchError as error:
            self._refuse((start, end), str(error))
        except QueryFailedError as error:
            if not is_damage(error):
                raise
            self._refuse((start, end), f"rows to be kept beside it cannot be read: {error.reason}")
        else:
            self._outcome.repaired += [
                f"{self._stream}#{first} to #{last}" for first, last in written
            ]
        finally:
            await asyncio.to_thread(self._table.drop)

    async def _write(self, before: Head, after: Head) -> None:
        """Decode one batch again; its root is the one that was noted."""
        joined = Messages()
        async for messages in self._messages(before.sequence + 1, after.sequence):
            joined.join(messages)
        try:
            await asyncio.to_thread(self._table.insert, self._encode(joined, before, after, set()))
        except InsertRejectedError as error:
            if not blames_rows(error):
                raise
            plain = self._encode(joined, before, after, set())
            refused = await asyncio.to_thread(refused_positions, self._store, plain.parts)
            batch = self._encode(joined, before, after, refused)
            await asyncio.to_thread(self._table.insert, batch)

    def _encode(self, messages: Messages, before: Head, after: Head, refused: set[int]) -> Batch:
        known = self._result.outcome.repeated
        decoded = decode(messages.payloads, refused)
        repeated = {
            at for at, sequence in enumerate(messages.sequences) if sequence in known
        } - refused
        batch = Batch(before, self._result.state.identity)
        batch.add(
            messages.sequences,
            messages.subjects,
            messages.payloads,
            decoded,
            repeated,
            Envelopes(),
        )
        if batch.close() != after:
            raise RepairMismatchError(stream=self._stream, sequence=after.sequence)
        return batch

    def _refuse(self, damaged: Range, reason: str) -> None:
        self._outcome.refused.append(f"{self._stream}#{damaged[0]} to #{damaged[1]}: {reason}")
