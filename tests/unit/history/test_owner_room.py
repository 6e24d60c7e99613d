from pathlib import Path

from infrastructure.history.owner.room import RESERVE_BYTES, free_bytes, needed_bytes


def test_a_larger_insert_needs_more_room() -> None:
    assert needed_bytes(0) == RESERVE_BYTES
    assert needed_bytes(1_000) == RESERVE_BYTES + 3_000


def test_a_disk_says_what_is_left(tmp_path: Path) -> None:
    assert free_bytes(tmp_path) > 0
