"""Have we done this before? What earlier runs decided and changed, found by a question.

Full-text where no embedding model is set; otherwise hybrid: the ranking by words and the one by
meaning become one. Reads through ports only. What an event left is known by the event's id.
"""

import enum
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import Template
from typing import Any

from cortex.memory.query_text import query_text
from cortex.memory.vector_store import EmbeddingModel, VectorStore
from cortex.memory.words import affordable, fuse, question_words, weigh
from nervous_system.comms.contracts import History
from nervous_system.errors import SwarmError

DEFAULT_LIMIT = 5
MAX_LIMIT = 100
SPARE = 4
"""Times as many are ranked as are asked for: the same change is at times recorded twice."""
_log = logging.getLogger(__name__)


class Mode(enum.StrEnum):
    """How memories were searched."""

    FULL_TEXT = "full-text"
    """By words alone."""
    HYBRID = "hybrid"
    """By words and by meaning."""
    NONE = "none"
    """Not at all: history could not be asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recollection:
    """One decision or change of an earlier run."""

    memory_id: str
    """Id of its event."""
    kind: str
    """`decision` or `state_change`."""
    run_id: str
    agent_role: str
    time_ns: int
    """By the emitter's clock, nanoseconds since 1970."""
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalled:
    """What was found, the best first, and how it was searched."""

    mode: Mode
    reason: str = ""
    """Why it was not searched as it is set; empty: it was."""
    found: tuple[Recollection, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which runs are searched."""

    excluded_run: str = ""
    """The present one: what it did itself is no memory of an earlier run."""
    run: str = ""
    """Only this one; empty: all."""


Place = tuple[str, int]
"""Stream and sequence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retriever:
    """Finds memories. Errors of history go on to the caller; those of the model do not."""

    history: History
    vectors: VectorStore
    model: EmbeddingModel | None = None
    """None: full-text only."""

    async def recall(
        self, question: str, *, scope: Scope | None = None, limit: int = DEFAULT_LIMIT
    ) -> Recalled:
        """Return what earlier runs left that a question is about.

        Raises:
            SwarmError: history cannot be asked.
        """
        within = scope or Scope()
        ranked = min(limit, MAX_LIMIT) * SPARE
        rankings = [await self._by_words(question, within, ranked)]
        mode, reason = Mode.FULL_TEXT, ""
        if self.model is not None:
            try:
                rankings.append(await self._by_meaning(self.model, question, within, ranked))
                mode = Mode.HYBRID
            except SwarmError as error:
                reason = str(error)
                _log.warning(
                    "searched by words only",
                    extra={"action": "recall_without_meaning", "reason": reason},
                )
        found = await self._at(_fused(rankings)[:ranked])
        return Recalled(mode=mode, reason=reason, found=distinct(found)[:limit])

    async def _by_words(self, question: str, scope: Scope, limit: int) -> list[Place]:
        words = question_words(question)
        if not words:
            return []
        counts = await self._counts(words)
        total = counts.pop("", 0)
        weights = weigh(counts, total)
        chosen = affordable(counts)
        if not chosen:
            return []
        parameters = _numbered("word", chosen) | _numbered("weight", [weights[w] for w in chosen])
        ranked = Template(query_text("ranked"))
        sql = ranked.safe_substitute(branches=_branches("with_word", len(chosen)))
        scoped = {"except": scope.excluded_run, "run": scope.run, "limit": limit}
        return _places(await self.history.query(sql, parameters | scoped))

    async def _counts(self, words: Sequence[str]) -> dict[str, int]:
        """Return in how many texts each word stands; under the empty word, how many there are."""
        branches = [_branches("word_count", len(words)), query_text("text_count")]
        rows = await self.history.query(_union(branches), _numbered("word", words))
        return {str(row["word"]): int(row["texts"]) for row in rows}

    async def _by_meaning(
        self, model: EmbeddingModel, question: str, scope: Scope, limit: int
    ) -> list[Place]:
        (vector,) = await model.embed([question], is_question=True)
        rows = await self.vectors.nearest(
            model.name, vector, excluded_run=scope.excluded_run, run=scope.run, limit=limit
        )
        return _places(rows)

    async def _at(self, places: Sequence[Place]) -> list[Recollection]:
        if not places:
            return []
        asked = {
            "streams": [stream for stream, _ in places],
            "sequences": [sequence for _, sequence in places],
        }
        rows = await self.history.query(query_text("memories_at"), asked)
        found = {(str(row["stream"]), int(row["sequence"])): _recollection(row) for row in rows}
        return [found[place] for place in places if place in found]


def distinct(found: Sequence[Recollection]) -> tuple[Recollection, ...]:
    """Return the recollections without those that say of a run what a better one says of it."""
    first: dict[tuple[str, str], Recollection] = {}
    for one in found:
        first.setdefault((one.run_id, one.text), one)
    return tuple(first.values())


def _fused(rankings: Sequence[Sequence[Place]]) -> list[Place]:
    places = {f"{place[0]}#{place[1]}": place for ranking in rankings for place in ranking}
    names = [[f"{stream}#{sequence}" for stream, sequence in ranking] for ranking in rankings]
    return [places[name] for name in fuse(names)]


def _places(rows: Sequence[Mapping[str, Any]]) -> list[Place]:
    return [(str(row["stream"]), int(row["sequence"])) for row in rows]


def _recollection(row: Mapping[str, Any]) -> Recollection:
    return Recollection(
        memory_id=str(row["id"]),
        kind=str(row["kind"]),
        run_id=str(row["run_id"]),
        agent_role=str(row["agent_role"]),
        time_ns=int(row["time_ns"]),
        text=str(row["text"]),
    )


def _numbered(name: str, values: Sequence[Any]) -> dict[str, Any]:
    return {f"{name}_{number}": value for number, value in enumerate(values)}


def _branches(name: str, count: int) -> str:
    text = Template(query_text(name))
    return _union([text.safe_substitute(number=number) for number in range(count)])


def _union(parts: Sequence[str]) -> str:
    return "\nunion all\n".join(parts)
