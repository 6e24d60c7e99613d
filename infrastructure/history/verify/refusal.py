"""Which messages the engine cannot decode although Python can: found by halving."""

from infrastructure.errors import InsertRejectedError
from infrastructure.history.verify.store import VerifyStore


def refused_positions(store: VerifyStore, parts: list[bytes]) -> set[int]:
    """Return the positions of the rows that the engine refuses.

    Args:
        store: where to try.
        parts: length and row in turn, as `Stretch.parts`.
    """
    return _refused(store, parts, 0, len(parts) // 2)


def _refused(store: VerifyStore, parts: list[bytes], start: int, end: int) -> set[int]:
    try:
        store.probe(parts[2 * start : 2 * end], end - start)
    except InsertRejectedError:
        if end - start == 1:
            return {start}
        middle = (start + end) // 2
        return _refused(store, parts, start, middle) | _refused(store, parts, middle, end)
    return set()
