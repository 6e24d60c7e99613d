"""Sends what dead processes left in their spools.

In the order of each spool, at least once, under the same ids. How long ago they were sent first,
if at all, is not known, so the stream is asked before each chunk which of its events it already
holds.
"""

import asyncio
import logging
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from nervous_system.comms.commit import GroupCommitter
from nervous_system.comms.contracts import Receipt
from nervous_system.comms.entry import Entry, StoredLookup
from nervous_system.comms.orphans import Orphan, take_orphans
from nervous_system.comms.replies import PERMISSION_CODE
from nervous_system.comms.spool_format import Record
from nervous_system.errors import BusError, PublishRejectedError

logger = logging.getLogger(__name__)

INTERVAL_SECONDS = 5.0
CHUNK_COUNT = 500


async def adopt_orphans(committer: GroupCommitter, lookup: StoredLookup, root: Path) -> None:
    """Look for spools of dead processes now and then, and send what is in them, until cancelled."""
    not_ours: set[Path] = set()
    while True:
        await adopt_once(committer, lookup, root, not_ours)
        await asyncio.sleep(INTERVAL_SECONDS)


async def adopt_once(
    committer: GroupCommitter, lookup: StoredLookup, root: Path, not_ours: set[Path]
) -> None:
    """Send what is in the spools of dead processes now.

    Args:
        committer: Sends.
        lookup: Tells what the stream holds already.
        root: Directory of all spools of a home.
        not_ours: Spools with events that this user may not publish; they are left alone, and those
            found are added.
    """
    for orphan in take_orphans(root):
        try:
            if orphan.directory not in not_ours:
                await _adopt(orphan, committer, lookup)
        except PublishRejectedError as error:
            # Another user's events: a process of that user will find them.
            not_ours.add(orphan.directory)
            logger.warning(
                "spool left alone", extra={"action": "spool_refused", "reason": str(error)}
            )
        except BusError as error:
            logger.info(
                "adoption interrupted",
                extra={"action": "adoption_interrupted", "reason": str(error)},
            )
        finally:
            orphan.release()


async def _adopt(orphan: Orphan, committer: GroupCommitter, lookup: StoredLookup) -> None:
    records = orphan.unsettled()
    count = 0
    while chunk := await asyncio.to_thread(_take, records):
        await _send(chunk, committer, lookup)
        orphan.note_settled(chunk[-1].number)
        count += len(chunk)
    if orphan.is_damaged:
        path = await asyncio.to_thread(orphan.set_aside)
        logger.error(
            "damaged spool set aside: events in it are not sent",
            extra={"action": "spool_set_aside", "path": str(path), "count": count},
        )
        return
    orphan.remove()
    logger.info("spool adopted", extra={"action": "spool_adopted", "count": count})


def _take(records: Iterator[Record]) -> list[Record]:
    return list(islice(records, CHUNK_COUNT))


async def _send(chunk: list[Record], committer: GroupCommitter, lookup: StoredLookup) -> None:
    """Return when every event of the chunk is in the stream.

    Raises:
        PublishRejectedError: this process may not publish one of them.
    """
    all_settled = asyncio.get_running_loop().create_future()
    refusals: list[BusError] = []
    open_count = 0

    def on_settled(_entry: Entry, _receipt: Receipt | None, error: BusError | None) -> None:
        nonlocal open_count
        open_count -= 1
        if isinstance(error, PublishRejectedError) and error.code == PERMISSION_CODE:
            refusals.append(error)
        if not open_count and not all_settled.done():
            all_settled.set_result(None)

    entries = []
    for record in chunk:
        entry = Entry(record.outgoing, on_settled)
        entry.record = record.number
        entry.after_sequence = record.after_sequence
        entries.append(entry)
    stored = await lookup.find_stored(entries)
    missing = [entry for entry in entries if entry.outgoing.event_id not in stored]
    if not missing:
        return
    await committer.wait_for_room()
    open_count = len(missing)
    for entry in missing:
        committer.enqueue(entry)
    await all_settled
    if refusals:
        raise refusals[0]
