"""Edits of a text, by character offsets, and what a rule did or would not do."""

from collections.abc import Iterable
from dataclasses import dataclass

from cortex.models.port import Finding


@dataclass(frozen=True, slots=True, order=True)
class TextEdit:
    """Replace the characters from `start` up to `end`."""

    start: int
    end: int
    replacement: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """A finding that edits resolve."""

    finding: Finding
    edits: tuple[TextEdit, ...]
    how: str
    """What is written instead, in a few words; equal for findings that are treated alike."""
    rejected: str = ""
    """The other way that was open, and why it was not taken."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A finding that is left, and why."""

    finding: Finding
    reason: str


Outcome = Done | Refused


def apply_edits(text: str, edits: Iterable[TextEdit]) -> str:
    """The text with all edits made; their offsets are those of the text as it was.

    Raises:
        ValueError: two edits overlap.
    """
    parts: list[str] = []
    position = 0
    for edit in sorted(set(edits)):
        if edit.start < position:
            raise ValueError(f"edits overlap at {edit.start}")
        parts += (text[position : edit.start], edit.replacement)
        position = edit.end
    return "".join([*parts, text[position:]])
