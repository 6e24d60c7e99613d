"""What earlier runs left is found again, by words and by meaning, in real history."""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

import pytest

from cortex.memory.keeping import Keeper
from cortex.memory.long_term import LongTermMemory
from cortex.memory.retrieval import Mode, Recalled, Retriever, Scope
from infrastructure.history.client import HistoryClient, open_history
from infrastructure.history.config import HistoryConfig
from infrastructure.history.memories import AsyncMemories, Memories, index_table
from infrastructure.history.migrate import migrate
from nervous_system.schemas import AgentDecision, StateChange, SwarmEvent
from tests.support.builders import build_event, subject_of
from tests.support.ledgered import STREAM, Appender

MODEL = "test:shapes"


class Shapes:
    """Knows words that mean the same: a vector of how often a text speaks of each theme."""

    name = MODEL
    themes = (("boat", "ship", "vessel"), ("bill", "invoice"), ("crane",))

    async def embed(
        self, texts: Sequence[str], *, is_question: bool = False
    ) -> list[Sequence[float]]:
        return [
            [0.01 + sum(text.count(word) for word in theme) for theme in self.themes]
            for text in texts
        ]


@dataclass(slots=True)
class Recorded:
    """History that events are appended to, and memory over it."""

    client: HistoryClient
    appender: Appender
    sequences: Iterator[int]

    @property
    def memories(self) -> AsyncMemories:
        return AsyncMemories(lambda: self.client, lambda: self.client)

    def decide(self, rationale: str, run_id: str = "run-1", *alternatives: str) -> str:
        payload = AgentDecision(rationale=rationale, rejected_alternatives=alternatives)
        return self._append(build_event(payload, run_id=run_id))

    def change(self, path: str, patch: str, run_id: str = "run-1") -> str:
        payload = StateChange(target_type="FILE_SYSTEM", target_resource=path, diff_patch=patch)
        return self._append(build_event(payload, run_id=run_id))

    async def recall(
        self, question: str, *, model: Shapes | None = None, scope: Scope | None = None
    ) -> Recalled:
        memories = self.memories
        await Keeper(memories, model).catch_up(None)
        retriever = Retriever(history=memories, vectors=memories, model=model)
        return await retriever.recall(question, scope=scope)

    def _append(self, event: SwarmEvent) -> str:
        raw = event.SerializeToString()
        self.appender.append([(next(self.sequences), subject_of(event), raw)])
        return event.event_id


@pytest.fixture
def recorded(history_dsn: str) -> Iterator[Recorded]:
    with open_history(HistoryConfig(dsn=history_dsn)) as client:
        migrate(client)
        yield Recorded(client, Appender(client, f"{STREAM}@test"), count(1))


async def test_decision_is_found_by_its_words_under_its_event_id(recorded: Recorded) -> None:
    wanted = recorded.decide("Remove the unused import of os in berths.py")
    recorded.decide("Rename the tariff table")
    found = await recorded.recall("unused imports: is there an IMPORT to remove?")
    assert found.mode is Mode.FULL_TEXT
    assert [one.memory_id for one in found.found] == [wanted]


async def test_change_is_found_by_its_path(recorded: Recorded) -> None:
    wanted = recorded.change("harbour/berths.py", "-import os\n")
    recorded.change("harbour/tariff.py", "-import json\n")
    found = await recorded.recall("berths")
    assert [(one.memory_id, one.kind) for one in found.found] == [(wanted, "state_change")]


async def test_text_with_the_rarer_words_comes_first(recorded: Recorded) -> None:
    common = [recorded.decide(f"fix findings in module {number}") for number in range(4)]
    rare = recorded.decide("fix the tide calculation")
    found = await recorded.recall("fix findings of the tide")
    assert found.found[0].memory_id == rare
    assert found.found[1].memory_id == common[-1]


async def test_present_run_is_left_out(recorded: Recorded) -> None:
    earlier = recorded.decide("use utf-8 everywhere", "run-1")
    recorded.decide("use utf-8 everywhere", "run-2")
    found = await recorded.recall("utf everywhere", scope=Scope(excluded_run="run-2"))
    assert [one.memory_id for one in found.found] == [earlier]


async def test_one_run_alone_can_be_asked(recorded: Recorded) -> None:
    recorded.decide("use utf-8 everywhere", "run-1")
    wanted = recorded.decide("use utf-8 everywhere", "run-2")
    found = await recorded.recall("everywhere", scope=Scope(run="run-2"))
    assert [one.memory_id for one in found.found] == [wanted]


async def test_rejected_alternative_is_found(recorded: Recorded) -> None:
    wanted = recorded.decide("Close the file", "run-1", "keep a global handle open")
    assert [one.memory_id for one in (await recorded.recall("handle")).found] == [wanted]


@pytest.mark.parametrize(
    "question", ["", "the of and", "%", "' or 1=1 --", "{run:String}", "é😀\n"]
)
async def test_question_without_known_words_finds_nothing(
    recorded: Recorded, question: str
) -> None:
    recorded.decide("Remove the unused import")
    assert (await recorded.recall(question)).found == ()


async def test_same_change_in_two_workspaces_is_told_once(recorded: Recorded) -> None:
    recorded.change("harbour/berths.py", "-import os\n")
    recorded.change("harbour/berths.py", "-import os\n")
    assert len((await recorded.recall("berths")).found) == 1


async def test_meaning_finds_what_words_do_not(recorded: Recorded) -> None:
    wanted = recorded.decide("Paint every vessel")
    recorded.decide("Send the invoice")
    assert (await recorded.recall("ships")).found == ()
    found = await recorded.recall("ship", model=Shapes())
    assert found.mode is Mode.HYBRID
    assert found.found[0].memory_id == wanted


async def nearest(recorded: Recorded, text: str, excluded_run: str = "") -> list[int]:
    (vector,) = await Shapes().embed([text])
    rows = await recorded.memories.nearest(
        MODEL, vector, excluded_run=excluded_run, run="", limit=2
    )
    return [int(row["sequence"]) for row in rows]


async def test_index_gives_what_comparing_all_gives(recorded: Recorded) -> None:
    for text in ("a boat", "an invoice", "a boat and an invoice", "a crane", "two cranes, a boat"):
        recorded.decide(text, "run-1" if text == "a boat" else "run-2")
    await recorded.recall("ship", model=Shapes())
    exact = await nearest(recorded, "a ship"), await nearest(recorded, "a ship", "run-1")
    assert Memories(recorded.client, index_from=2).extend_index(MODEL) == 0
    recorded.client.command("truncate table swarm.embeddings")  # what is found now is in the index
    assert exact == (await nearest(recorded, "a ship"), await nearest(recorded, "a ship", "run-1"))
    assert exact[0][0] == 1


async def test_vectors_are_compared_while_the_index_holds_too_few(recorded: Recorded) -> None:
    recorded.decide("a boat")
    await recorded.recall("ship", model=Shapes())
    Memories(recorded.client, index_from=1).extend_index(MODEL)
    recorded.decide("a ship, a boat, a vessel")
    await recorded.recall("ship", model=Shapes())
    assert sorted(await nearest(recorded, "a ship")) == [1, 2]


async def test_model_with_few_vectors_has_no_index(recorded: Recorded) -> None:
    recorded.decide("a boat")
    await recorded.recall("ship", model=Shapes())
    tables = recorded.client.query("select name from system.tables where database = 'swarm'")
    assert index_table(MODEL) not in {row["name"] for row in tables}


async def test_events_that_come_later_are_taken_in_too(recorded: Recorded) -> None:
    recorded.decide("first thought")
    await recorded.recall("thought")
    later = recorded.decide("second thought")
    found = await recorded.recall("second thought")
    assert found.found[0].memory_id == later


async def test_memories_of_dropped_events_are_forgotten(recorded: Recorded) -> None:
    recorded.decide("an old secret of the harbour")
    await recorded.recall("secret", model=Shapes())
    recorded.client.insert_rows(
        "swarm.pruned_heads",
        ["stream", "first_seq", "last_seq", "event_count", "stream_identity", "head"],
        [[STREAM, 1, 1, 1, "x", "x"]],
    )
    assert (await recorded.recall("secret", model=Shapes())).found == ()
    (left,) = recorded.client.query("select count() as n from swarm.embeddings")
    assert left["n"] == 0


async def test_history_that_fails_leaves_an_agent_without_memories(recorded: Recorded) -> None:
    memories = recorded.memories
    recorded.client.command("drop table swarm.memories")
    retriever = Retriever(history=memories, vectors=memories)
    memory = LongTermMemory(retriever, Keeper(memories, None))
    found = await memory.recall("anything", excluded_run=str(uuid.uuid4()))
    assert (found.mode, found.found) == (Mode.NONE, ())
    assert "memories" in found.reason
