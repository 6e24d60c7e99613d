"""The spool on a real disk: what was written is read back, whatever happened to the process."""

import errno
import os
import resource
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from nervous_system.comms.contracts import Outgoing
from nervous_system.comms.orphans import take_orphans
from nervous_system.comms.spool import Spool, open_spool
from nervous_system.config import SpoolConfig
from nervous_system.errors import ConfigError, SpoolFullError
from tests.support.bus import build_life
from tests.support.eventually import eventually_blocking

MIBIBYTE = 1024 * 1024

WRITER = """
import sys
from pathlib import Path
from nervous_system.comms.spool import open_spool
from nervous_system.config import SpoolConfig
from tests.support.bus import build_outgoing

with open_spool(SpoolConfig(directory=Path(sys.argv[1]))) as spool:
    number = 0
    while True:
        number += 1
        spool.append(build_outgoing(number, emitter_id="e1"), 7)
        print(number, flush=True)
"""


def config(directory: Path, max_bytes: int = 64 * MIBIBYTE) -> SpoolConfig:
    return SpoolConfig(
        directory=directory, max_bytes=max_bytes, sync_interval=timedelta(milliseconds=10)
    )


def fill(spool: Spool, events: list[Outgoing]) -> list[int]:
    return [spool.append(one, 0) for one in events]


def test_records_are_read_in_the_order_in_which_they_were_written(tmp_path: Path) -> None:
    events = build_life("e1", 50)
    with open_spool(config(tmp_path)) as spool:
        assert fill(spool, events[:30]) == list(range(1, 31))
        first = spool.read(20)
        fill(spool, events[30:])
        rest = spool.read(1000)
        assert [one.outgoing for one in (*first, *rest)] == events
        assert spool.read(10) == []


def test_settled_segments_are_removed_and_make_room(tmp_path: Path) -> None:
    events = build_life("e1", 4)
    large = [
        Outgoing(subject=one.subject, payload=bytes(MIBIBYTE // 4), event_id=one.event_id)
        for one in events
    ]
    with open_spool(config(tmp_path, MIBIBYTE)) as spool:
        for _ in range(5):
            numbers = fill(spool, large[:3])
            with pytest.raises(SpoolFullError):
                fill(spool, large[:1])
            assert len(spool.read(10)) == 3
            for number in reversed(numbers):
                spool.settle(number)
            assert spool.is_empty


def test_settling_out_of_order_counts_up_to_the_first_gap(tmp_path: Path) -> None:
    with open_spool(config(tmp_path)) as spool:
        fill(spool, build_life("e1", 5))
        for number in (5, 2, 1):
            spool.settle(number)
        assert spool.settled_number == 2
        spool.settle(3)
        spool.settle(4)
        assert spool.is_empty


def test_record_larger_than_a_piece_that_is_read_at_once_is_read(tmp_path: Path) -> None:
    large = Outgoing(subject="a.b", payload=os.urandom(3 * MIBIBYTE), event_id="x")
    with open_spool(config(tmp_path)) as spool:
        fill(spool, [*build_life("e1", 1), large, *build_life("e1", 1, start=2)])
        records = [record for _ in range(3) for record in spool.read(1)]
        assert records[1].outgoing == large
        assert [one.number for one in records] == [1, 2, 3]


def test_spool_that_is_settled_leaves_nothing_behind(tmp_path: Path) -> None:
    with open_spool(config(tmp_path)) as spool:
        fill(spool, build_life("e1", 2))
        spool.settle(1)
        spool.settle(2)
    assert list(tmp_path.iterdir()) == []


def test_living_process_keeps_its_spool_to_itself(tmp_path: Path) -> None:
    with open_spool(config(tmp_path)) as spool:
        fill(spool, build_life("e1", 1))
        assert list(take_orphans(tmp_path)) == []


def test_orphan_gives_what_was_not_settled(tmp_path: Path) -> None:
    events = build_life("e1", 5)
    with open_spool(config(tmp_path)) as spool:
        fill(spool, events)
        spool.settle(1)
        spool.settle(2)
        spool.settle(4)
    (orphan,) = take_orphans(tmp_path)
    assert [one.outgoing for one in orphan.unsettled()] == events[2:]
    assert list(take_orphans(tmp_path)) == []
    orphan.note_settled(4)
    assert [one.outgoing for one in orphan.unsettled()] == events[4:]
    orphan.release()
    (again,) = take_orphans(tmp_path)
    again.remove()
    again.release()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("cut_bytes", [1, 40, 250])
def test_torn_last_record_is_passed_over(tmp_path: Path, cut_bytes: int) -> None:
    events = build_life("e1", 3)
    with open_spool(config(tmp_path)) as spool:
        fill(spool, events)
    (segment,) = tmp_path.glob("*/*.seg")
    os.truncate(segment, segment.stat().st_size - cut_bytes)
    (orphan,) = take_orphans(tmp_path)
    assert [one.outgoing for one in orphan.unsettled()] == events[:2]
    assert not orphan.is_damaged
    orphan.release()


@pytest.mark.parametrize("bad", [0, 1, 3])
def test_damaged_record_is_no_torn_one(tmp_path: Path, bad: int) -> None:
    events = build_life("e1", 4)
    with open_spool(config(tmp_path)) as spool:
        fill(spool, events)
    (segment,) = tmp_path.glob("*/*.seg")
    data = bytearray(segment.read_bytes())
    data[data.index(events[bad].event_id.encode())] ^= 1
    segment.write_bytes(data)
    (orphan,) = take_orphans(tmp_path)
    assert [one.outgoing for one in orphan.unsettled()] == events[:bad]
    assert orphan.is_damaged
    orphan.release()


def test_what_could_not_be_synced_is_synced_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync, failed, synced = os.fdatasync, list[int](), list[int]()

    def sync_later(descriptor: int) -> None:
        if not failed:
            failed.append(descriptor)
            raise OSError(errno.EIO, "input/output error")
        sync(descriptor)
        synced.append(descriptor)

    monkeypatch.setattr(os, "fdatasync", sync_later)
    with open_spool(config(tmp_path)) as spool:
        fill(spool, build_life("e1", 1))
        eventually_blocking(lambda: synced == failed != [])


def test_full_disk_is_not_called_a_limit(tmp_path: Path) -> None:
    """A limit on the size of files does what a full disk does: less is written."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    with open_spool(config(tmp_path)) as spool:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
        try:
            with pytest.raises(SpoolFullError, match="No space left") as caught:
                fill(spool, build_life("e1", 1))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert "SWARM_SPOOL_BYTES" not in str(caught.value)
        fill(spool, build_life("e1", 1))
        assert len(spool.read(10)) == 1


def test_record_survives_the_writers_sudden_death(tmp_path: Path) -> None:
    """Every number that the writer printed was written before; none may be missing."""
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    try:
        while int(writer.stdout.readline()) < 200:
            pass
    finally:
        writer.send_signal(signal.SIGKILL)
        rest = writer.stdout.read().split("\n")
        writer.wait()
        writer.stdout.close()
    printed = max([200, *(int(line) for line in rest[:-1] if line)])
    (orphan,) = eventually_blocking(lambda: list(take_orphans(tmp_path)))
    records = list(orphan.unsettled())
    orphan.release()
    assert [one.outgoing.emitter_seq for one in records] == list(range(1, len(records) + 1))
    assert len(records) >= printed
    assert records[0].after_sequence == 7


def test_directory_that_cannot_be_made_is_a_config_error(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(ConfigError, match="SWARM_HOME"), open_spool(config(blocked / "spool")):
        pass
