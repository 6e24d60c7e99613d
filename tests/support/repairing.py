"""A process of its own that repairs a partition and ends by SIGKILL; its argument is the path.

Prints `replacing` right before the new partition takes the old one's place.
"""

import os
import signal
import sys

from infrastructure.history.client import HistoryClient, open_history
from infrastructure.history.config import HistoryConfig
from infrastructure.history.migrate import migrate
from infrastructure.history.verify.repair_table import RepairTable
from infrastructure.ingestor.decoding import decode
from infrastructure.ingestor.encoding import Batch, Envelopes
from infrastructure.ingestor.ledger import Head
from tests.support.ledgered import STREAM, Appender, life_of

IDENTITY = f"{STREAM}@2026-01-01T00:00:00.000000Z"
COUNT = 40
BATCH = 10


def messages() -> list[tuple[int, str, bytes]]:
    return [(index + 1, *event) for index, event in enumerate(life_of("e1", COUNT))]


def damage_and_rebuild(history: HistoryClient) -> None:
    """Fill history, change a row of the first batch, and put a sound partition in its place."""
    listed = messages()
    Appender(history, IDENTITY).append_all(listed, BATCH)
    history.command(
        "alter table swarm.events update rationale = 'x' where stream_seq = 5",
        settings={"mutations_sync": "1"},
    )
    table = RepairTable(history, STREAM)
    table.create()
    table.insert(_first_batch(listed[:BATCH]))
    print("replacing", flush=True)
    table.keep_and_replace(0, [(1, BATCH)])


def _first_batch(listed: list[tuple[int, str, bytes]]) -> Batch:
    raws = [raw for _, _, raw in listed]
    batch = Batch(Head(STREAM, 0), IDENTITY)
    batch.add(
        [sequence for sequence, _, _ in listed],
        [subject.encode() for _, subject, _ in listed],
        raws,
        decode(raws),
        set(),
        Envelopes(),
    )
    batch.close()
    return batch


def main() -> None:
    with open_history(HistoryConfig(dsn=f"chdb://{sys.argv[1]}")) as history:
        migrate(history)
        damage_and_rebuild(history)
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
