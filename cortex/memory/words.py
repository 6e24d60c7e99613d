"""Which words of a question are looked for, and what each is worth. Pure.

Words are cut as history's text index cuts them: at everything that is not a letter or digit of
ASCII, with ASCII's capitals made small; other letters stay as they are.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence

MAX_WORDS = 24
"""Of one question; the first ones."""
MAX_ROWS = 200_000
"""That the chosen words may stand in, together: bounds what a search reads."""
_WORD = re.compile(r"[0-9A-Za-z\u0080-\U0010ffff]+")
_SMALL = {ord(capital): capital.lower() for capital in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
_COMMON = frozenset(
    re.split(
        r"\s+",
        "a all also an and any are as at be been but by can could did do does done for from had "
        "has have how i if in into is it its just me my no not of on one or our please shall "
        "should so some than that the their them then there these they this to us use was we were "
        "what when where which who why will with would you your",
    )
)


def question_words(question: str, limit: int = MAX_WORDS) -> tuple[str, ...]:
    """Return the words of a question that say something, each once, in their order."""
    found: dict[str, None] = {}
    for match in _WORD.finditer(question):
        word = match.group().translate(_SMALL)
        if len(word) > 1 and word not in _COMMON:
            found.setdefault(word)
    return tuple(found)[:limit]


def weigh(counts: Mapping[str, int], total: int) -> dict[str, float]:
    """Return what each word is worth: the rarer, the more; a word in every text is worth little.

    Args:
        counts: in how many texts each word stands.
        total: how many texts there are.
    """
    return {
        word: math.log1p(max(0.0, total - count + 0.5) / (count + 0.5))
        for word, count in counts.items()
        if count > 0
    }


def affordable(counts: Mapping[str, int], max_rows: int = MAX_ROWS) -> tuple[str, ...]:
    """Return the words to search by, the rarest first, as long as they stand in few enough texts.

    The rarest that is known at all is always among them.
    """
    known = sorted((count, word) for word, count in counts.items() if count > 0)
    room = max_rows
    taken: list[str] = []
    for count, word in known:
        room -= count
        if taken and room < 0:
            break
        taken.append(word)
    return tuple(taken)


def fuse(rankings: Iterable[Sequence[str]], constant: int = 60) -> list[str]:
    """Return the ids of several rankings in one: reciprocal rank fusion, ties by first mention."""
    scores: dict[str, float] = {}
    for ranking in rankings:
        for rank, one in enumerate(dict.fromkeys(ranking), start=1):
            scores[one] = scores.get(one, 0.0) + 1.0 / (constant + rank)
    return sorted(scores, key=lambda one: -scores[one])
