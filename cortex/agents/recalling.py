"""What helps an agent with a task: what earlier runs have left, and what it noted in this one."""

from datetime import UTC, datetime

from cortex.agents.site import Site
from cortex.engine.claims import Claim
from cortex.memory.notebook import Notebook, open_notebook
from cortex.memory.retrieval import Mode, Recalled, Recollection
from cortex.memory.short_term import DECIDED, SENT_BACK, texts
from cortex.models.port import Memory
from cortex.tools.recording import ToolRecorder
from nervous_system.comms.contracts import Receipt
from nervous_system.emission import LostReceipt

RECALL = "recall"
"""The tool's name in its events."""
SHOWN_CHARACTERS = 2_000
"""Of one memory."""


async def recall(site: Site, question: str, tools: ToolRecorder) -> tuple[Memory, ...]:
    """Return memories about a question: of earlier runs, then the agent's own of this run."""
    earlier = await _earlier(site, question, tools)
    return (*(_memory(one) for one in earlier), *await noted(site, tools))


async def noted(site: Site, tools: ToolRecorder) -> tuple[Memory, ...]:
    """Return what the agent decided in this run, as far as it has it in mind."""
    notebook = await _notebook(site, tools)
    return tuple(
        Memory(memory_id=note.memory_id, text=f"in this run, {note.topic}: {note.text}")
        for note in notebook.window.notes
        if note.kind == DECIDED and note.memory_id
    )


async def remember(
    site: Site, tools: ToolRecorder, claim: Claim, decided: str, decision: Receipt
) -> None:
    """Note what the agent decided about a task."""
    notebook = await _notebook(site, tools)
    memory_id = "" if isinstance(decision, LostReceipt) else decision.event_id
    await notebook.note(claim.task.task_id, DECIDED, decided, memory_id)


async def refusals(site: Site, tools: ToolRecorder, claim: Claim) -> tuple[str, ...]:
    """Return why the task was sent back, as far as the agent knows, the oldest reason first."""
    notebook = await _notebook(site, tools)
    topic = claim.task.task_id
    if claim.objection:
        await notebook.note(topic, SENT_BACK, claim.objection)
    return texts(notebook.window.about(topic, SENT_BACK))


async def _earlier(site: Site, question: str, tools: ToolRecorder) -> tuple[Recollection, ...]:
    if site.memory is None:
        return ()
    async with tools.call(RECALL, {"question": question}) as call:
        recalled = await site.memory.recall(question, excluded_run=site.job.run_id)
        call.set_result(_said(recalled))
        if recalled.mode is Mode.NONE:
            call.set_outcome("failed")
    return recalled.found


async def _notebook(site: Site, tools: ToolRecorder) -> Notebook:
    agent_id = tools.agent.agent_id
    if agent_id not in site.notebooks:
        opened = await open_notebook(site.swarm, site.job.run_id, agent_id)
        site.notebooks.setdefault(agent_id, opened)
    return site.notebooks[agent_id]


def _said(recalled: Recalled) -> str:
    because = f" ({recalled.reason})" if recalled.reason else ""
    ids = "".join(f"\n{one.memory_id}" for one in recalled.found)
    return f"{recalled.mode}{because}: {len(recalled.found)} found{ids}"


def _memory(one: Recollection) -> Memory:
    said = f"{_day(one.time_ns)}, run {one.run_id}, {one.agent_role.lower()}, {one.kind}"
    return Memory(memory_id=one.memory_id, text=f"{said}: {one.text[:SHOWN_CHARACTERS]}")


def _day(time_ns: int) -> str:
    return datetime.fromtimestamp(time_ns // 1_000_000_000, UTC).date().isoformat()
