"""A context window with a token budget: what an agent keeps in mind in a run. Pure.

Where there is no room left, the least relevant note leaves first, the oldest among equals; the
newest stays, cut if it alone is too long.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

BYTES_PER_TOKEN = 3
"""An estimate on the safe side: English and code have some four."""
DEFAULT_BUDGET_TOKENS = 4_000
_CUT = "…"

DECIDED = "decided"
SENT_BACK = "sent back"
RELEVANCE = {DECIDED: 1.0, SENT_BACK: 2.0}
"""By kind: why work was sent back must not be forgotten before what was decided."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One thing to keep in mind."""

    topic: str
    """The task that it is about."""
    kind: str
    """`DECIDED`, `SENT_BACK`, or one of an agent's own."""
    text: str
    memory_id: str = ""
    """Id of the event that said it; empty: none did."""
    relevance: float = 1.0
    """The higher, the longer it stays."""

    @property
    def tokens(self) -> int:
        """How much of the budget it takes, estimated."""
        return len(self.text.encode("utf-8", "replace")) // BYTES_PER_TOKEN + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The notes of one agent in one run, the oldest first; never over its budget."""

    budget_tokens: int = DEFAULT_BUDGET_TOKENS
    notes: tuple[Note, ...] = field(default=())

    @property
    def tokens(self) -> int:
        """What the notes take together."""
        return sum(note.tokens for note in self.notes)

    def add(self, note: Note) -> "Window":
        """Return the window with a note more, and without what there is no room for then.

        A note that is there already becomes the newest.
        """
        others = [one for one in self.notes if one != note]
        newest = _fitting(note, self.budget_tokens)
        return replace(self, notes=_kept([*others, newest], self.budget_tokens))

    def about(self, topic: str, kind: str = "") -> tuple[Note, ...]:
        """Return the notes on a topic, of one kind or all, the oldest first."""
        return tuple(note for note in self.notes if note.topic == topic and kind in ("", note.kind))

    def as_bytes(self) -> bytes:
        """Return the notes as `parse_window` reads them."""
        return json.dumps([_document(note) for note in self.notes], ensure_ascii=False).encode(
            "utf-8", "replace"
        )


def parse_window(content: bytes, budget_tokens: int = DEFAULT_BUDGET_TOKENS) -> Window:
    """Return the window that `as_bytes` wrote, cut to the budget.

    Raises:
        ValueError: it is none.
    """
    try:
        notes = [_note(one) for one in json.loads(content)]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not the notes of a window: {error!r}") from error
    window = Window(budget_tokens=budget_tokens)
    for note in notes:
        window = window.add(note)
    return window


def _kept(notes: list[Note], budget_tokens: int) -> tuple[Note, ...]:
    room = budget_tokens - sum(note.tokens for note in notes)
    leaving: set[int] = set()
    by_worth = sorted(range(len(notes) - 1), key=lambda place: (notes[place].relevance, place))
    for place in by_worth:
        if room >= 0:
            break
        leaving.add(place)
        room += notes[place].tokens
    return tuple(note for place, note in enumerate(notes) if place not in leaving)


def _fitting(note: Note, budget_tokens: int) -> Note:
    if note.tokens <= budget_tokens:
        return note
    room = max(0, budget_tokens * BYTES_PER_TOKEN - 1 - len(_CUT.encode()))
    start = note.text.encode("utf-8", "replace")[:room].decode("utf-8", "ignore")
    return replace(note, text=start + _CUT)


def _document(note: Note) -> dict[str, Any]:
    return {
        "topic": note.topic,
        "kind": note.kind,
        "text": note.text,
        "memory_id": note.memory_id,
        "relevance": note.relevance,
    }


def _note(document: dict[str, Any]) -> Note:
    return Note(
        topic=str(document["topic"]),
        kind=str(document["kind"]),
        text=str(document["text"]),
        memory_id=str(document["memory_id"]),
        relevance=float(document["relevance"]),
    )


def texts(notes: Iterable[Note]) -> tuple[str, ...]:
    """Return what notes say, each text once."""
    return tuple(dict.fromkeys(note.text for note in notes))
