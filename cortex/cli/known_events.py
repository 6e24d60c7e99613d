"""Which event ids history holds already."""

from collections.abc import Sequence

from cortex.cli.output import note
from cortex.cli.places import open_reader
from cortex.cli.session import Session
from infrastructure.errors import HistoryError, StackDownError
from infrastructure.history.query_text import query_text

IDS_PER_QUERY = 2_000


def known_sequences(session: Session, event_ids: Sequence[str]) -> dict[str, tuple[str, int]]:
    """Return stream and first sequence, by lower-case event id, of those that history holds.

    History is not waited for: what is too new for it, the stream recognises by itself. Where it
    cannot be asked, a message says what that means and nothing counts as known.
    """
    if not event_ids:
        return {}
    found: dict[str, tuple[str, int]] = {}
    try:
        with open_reader(session) as history:
            for start in range(0, len(event_ids), IDS_PER_QUERY):
                ids = list(event_ids[start : start + IDS_PER_QUERY])
                for row in history.query(query_text("known_events"), {"ids": ids}):
                    found[str(row["id"])] = (str(row["stream"]), int(row["sequence"]))
    except (HistoryError, StackDownError) as error:
        note(f"history was not asked ({error}); repeats of older events are not recognised")
    return found
