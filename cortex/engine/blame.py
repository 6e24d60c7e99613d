"""Which change wrote a line: line numbers are followed backwards through what each change replaced.

Pure. Lines end at a line feed, whatever the encoding. A patch says what a change replaced; where
there is none, for large or binary content, the contents before and after are compared.
"""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

MAX_COMPARED_LINES = 5_000
"""Above this, only lines that both sides have once are matched: quadratic work ends here."""
_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")


@dataclass(frozen=True, slots=True)
class Block:
    """Lines that were replaced by others; from 0, the ends not included."""

    old_start: int
    old_end: int
    new_start: int
    new_end: int


def split_lines(content: bytes) -> list[bytes]:
    """Return the lines without their ends; what follows the last line feed is one if not empty."""
    lines = content.split(b"\n")
    return lines if lines[-1] else lines[:-1]


def line_before(blocks: Sequence[Block], line: int) -> int | None:
    """Return which line it was before the change, from 0; None: the change wrote it."""
    moved = 0
    for block in blocks:
        if line < block.new_start:
            break
        if line < block.new_end:
            return None
        moved = block.old_end - block.new_end
    return line + moved


def blocks_of_patch(patch: str) -> list[Block] | None:
    """Return what a unified diff replaces, in order; None where it is none that can be trusted."""
    lines = patch.split("\n")
    blocks: list[Block] = []
    number = 0
    while number < len(lines):
        matched = _HUNK.match(lines[number])
        number += 1
        if matched is None:
            continue
        start = _hunk_start(matched)
        found, number, lengths = _read_hunk(lines, number, start)
        if lengths != (_count(matched[2]), _count(matched[4])):
            return None
        blocks += found
    return blocks or None


def blocks_between(old: Sequence[bytes], new: Sequence[bytes]) -> list[Block]:
    """Return what was replaced between two contents, by their lines."""
    start, end = _common_ends(old, new)
    before, after = old[start : len(old) - end], new[start : len(new) - end]
    is_large = max(len(before), len(after)) > MAX_COMPARED_LINES
    pairs = _unique_matches(before, after) if is_large else _matches(before, after)
    return list(_gaps(pairs, len(before), len(after), start))


def _count(text: str | None) -> int:
    return 1 if text is None else int(text)


def _hunk_start(matched: re.Match[str]) -> tuple[int, int]:
    """Return the lines that a hunk begins at, from 0; an empty side names the line before."""
    old, new = int(matched[1]), int(matched[3])
    return (
        old - 1 if _count(matched[2]) else old,
        new - 1 if _count(matched[4]) else new,
    )


def _read_hunk(
    lines: Sequence[str], number: int, start: tuple[int, int]
) -> tuple[list[Block], int, tuple[int, int]]:
    """Read lines as long as they are a hunk's; return its blocks, where it ends, its lengths."""
    old, new = opened = start
    blocks: list[Block] = []
    while number < len(lines) and lines[number][:1] in (" ", "-", "+", "\\"):
        mark = lines[number][0]
        if mark == " ":
            _close(blocks, opened, (old, new))
            old, new = opened = old + 1, new + 1
        old += mark == "-"
        new += mark == "+"
        number += 1
    _close(blocks, opened, (old, new))
    return blocks, number, (old - start[0], new - start[1])


def _close(blocks: list[Block], opened: tuple[int, int], now: tuple[int, int]) -> None:
    if opened != now:
        blocks.append(Block(opened[0], now[0], opened[1], now[1]))


def _common_ends(old: Sequence[bytes], new: Sequence[bytes]) -> tuple[int, int]:
    shorter = min(len(old), len(new))
    start = 0
    while start < shorter and old[start] == new[start]:
        start += 1
    end = 0
    while end < shorter - start and old[-1 - end] == new[-1 - end]:
        end += 1
    return start, end


def _matches(old: Sequence[bytes], new: Sequence[bytes]) -> Iterator[tuple[int, int, int]]:
    for match in SequenceMatcher(None, old, new).get_matching_blocks():
        yield match.a, match.b, match.size


def _unique_matches(old: Sequence[bytes], new: Sequence[bytes]) -> Iterator[tuple[int, int, int]]:
    """Yield matches of lines that each side has once, in the longest order that both share."""
    once_old, once_new = _once(old), _once(new)
    shared = sorted((once_old[line], once_new[line]) for line in once_old.keys() & once_new.keys())
    for a, b in _longest_increasing(shared):
        yield a, b, 1


def _once(lines: Sequence[bytes]) -> dict[bytes, int]:
    counts = Counter(lines)
    return {line: number for number, line in enumerate(lines) if counts[line] == 1}


def _longest_increasing(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the longest choice of pairs, sorted by their first, whose second numbers grow too."""
    ends: list[int] = []
    last: list[int] = []
    before: list[int] = []
    for number, (_, second) in enumerate(pairs):
        place = bisect_left(ends, second)
        before.append(last[place - 1] if place else -1)
        ends[place : place + 1] = [second]
        last[place : place + 1] = [number]
    chosen: list[tuple[int, int]] = []
    at = last[-1] if last else -1
    while at >= 0:
        chosen.append(pairs[at])
        at = before[at]
    return chosen[::-1]


def _gaps(
    matches: Iterable[tuple[int, int, int]], old_length: int, new_length: int, offset: int
) -> Iterator[Block]:
    """Yield what lies between matches."""
    old = new = 0
    for a, b, size in [*matches, (old_length, new_length, 0)]:
        if a > old or b > new:
            yield Block(old + offset, a + offset, new + offset, b + offset)
        old, new = a + size, b + size
