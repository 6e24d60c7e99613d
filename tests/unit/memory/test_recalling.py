"""What an agent noted in a run comes back to it with its next task."""

from types import SimpleNamespace
from typing import Any, cast

from cortex.agents.recalling import noted, recall, refusals, remember
from cortex.memory.notebook import Notebook
from nervous_system.comms.contracts import Receipt

AGENT = "coder-1"


def site() -> Any:
    """A site with no history, whose bus keeps no notes."""
    return SimpleNamespace(memory=None, notebooks={AGENT: Notebook(None, "key", 1_000)})


TOOLS = cast("Any", SimpleNamespace(agent=SimpleNamespace(agent_id=AGENT)))


def claim(task_id: str, sent_back: str = "") -> Any:
    task = SimpleNamespace(task_id=task_id)
    return SimpleNamespace(task=task, objection=sent_back, feedback=sent_back)


async def test_every_reason_of_a_task_comes_back_the_oldest_first() -> None:
    place = site()
    assert await refusals(place, TOOLS, claim("a")) == ()
    assert await refusals(place, TOOLS, claim("a", "a test fails")) == ("a test fails",)
    await refusals(place, TOOLS, claim("b", "another task's"))
    found = await refusals(place, TOOLS, claim("a", "it still fails"))
    assert found == ("a test fails", "it still fails")


async def test_own_decisions_are_memories_under_their_event_ids() -> None:
    place = site()
    await remember(place, TOOLS, claim("a"), "take the import out", Receipt(event_id="e1"))
    assert [one.memory_id for one in await noted(place, TOOLS)] == ["e1"]
    assert await recall(place, "imports", TOOLS) == await noted(place, TOOLS)
