"""Which messages the engine cannot decode although Python can: found by halving."""

from infrastructure.history.refusals import refused_rows
from infrastructure.history.verify.store import VerifyStore

_SOUND_ROW = b"\x09" + (1).to_bytes(8, "little")
"""A row with a sequence and nothing else, which every sound engine takes."""


def refused_positions(store: VerifyStore, parts: list[bytes]) -> set[int]:
    """Return the positions of the rows that the engine refuses.

    Args:
        store: where to try.
        parts: length and row in turn, as `Stretch.parts`.

    Raises:
        InsertRejectedError: the engine refuses rows for another reason than what they hold.
    """
    store.probe((bytes((len(_SOUND_ROW),)), _SOUND_ROW), 1)
    return set(
        refused_rows(
            len(parts) // 2,
            lambda start, end: store.probe(parts[2 * start : 2 * end], end - start),
        )
    )
