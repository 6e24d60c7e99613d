"""The coder: changes files for one task, in a work tree of its own, and hands in a commit."""

import asyncio
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from cortex.agents.architect import planned_of
from cortex.agents.base import BaseAgent
from cortex.agents.recalling import recall, refusals, remember
from cortex.agents.site import Place, Site
from cortex.engine.claims import Claim, TaskResult
from cortex.engine.job import CODER
from cortex.models.port import ChangeRequest, ChangeSet, PlannedTask
from nervous_system.agent import Agent
from nervous_system.comms.contracts import Receipt

MAX_CONTEXT_BYTES = 8 * 1024 * 1024
SETTINGS = ("pyproject.toml", "setup.cfg", "setup.py", "tox.ini", "ruff.toml", ".ruff.toml")
"""What a repository says of its tools and packages, in its root."""


class Coder(BaseAgent):
    """Carries out one planned task at a time."""

    role = CODER

    def __init__(self, agent: Agent, site: Site) -> None:
        super().__init__(agent)
        self._site = site

    async def work(self, claim: Claim) -> TaskResult:
        """Decide on the edits, make them through tools, commit them."""
        site = self._site
        planned = planned_of(claim.task)
        self.tools.take_event_ids()
        base = site.base(await site.state())
        async with site.fork(self.tools, claim, base) as place:
            return await self._change(claim, planned, place)

    async def _change(self, claim: Claim, planned: PlannedTask, place: Place) -> TaskResult:
        change, decision = await self._decide(claim, planned, place)
        if not change.edits:
            reason = "; ".join(change.unresolved) or "nothing had to be changed"
            return TaskResult.refused(reason, decision=decision.event_id)
        await self._edit(place, change, decision)
        event_ids = (decision.event_id, *self.tools.take_event_ids())
        commit = await place.git.commit(
            place.tree, planned.title, change.rationale, event_ids=event_ids, caused_by=(decision,)
        )
        if commit is None:
            return TaskResult.refused("the edits leave the files as they are")
        return TaskResult(document=_document(place, change, commit, event_ids))

    async def _decide(
        self, claim: Claim, planned: PlannedTask, place: Place
    ) -> tuple[ChangeSet, Receipt]:
        job, root = self._site.job, place.tree.root
        paths = [path for path in planned.paths if (root / path).is_file()]
        findings = await place.linter.check(paths, rules=planned.rules) if paths else []
        memories = await recall(self._site, f"{planned.title}\n{planned.why}", self.tools)
        request = ChangeRequest(
            task=job.task,
            planned=planned,
            contents={path: await place.files.read(path) for path in paths},
            context=await asyncio.to_thread(context_of, root, frozenset(paths)),
            findings=tuple(findings),
            root=root,
            memories=memories,
            refusals=await refusals(self._site, self.tools, claim),
        )
        change = await self._site.model.change(request)
        decision = await self.agent.decide(
            rationale=change.rationale,
            rejected_alternatives=[*change.rejected_alternatives, *change.unresolved],
            confidence=change.confidence,
            input_trigger=_trigger(claim, planned),
            context_hash=_context_hash(request.contents),
            memory_ids=[one.memory_id for one in memories],
        )
        await remember(self._site, self.tools, claim, change.rationale, decision)
        return change, decision

    async def _edit(self, place: Place, change: ChangeSet, decision: Receipt) -> None:
        for edit in change.edits:
            if edit.new_content is None:
                await place.files.delete(edit.path, caused_by=(decision,))
            else:
                await place.files.write(
                    edit.path, edit.new_content, mode=edit.mode, caused_by=(decision,)
                )


def _trigger(claim: Claim, planned: PlannedTask) -> str:
    asked = f"task {planned.key}: {planned.title} ({planned.why})"
    return f"{asked}; sent back: {claim.objection}" if claim.objection else asked


def _context_hash(contents: Mapping[str, bytes]) -> str:
    """Return the digest of the files that the decision is about, names included."""
    whole = sha256()
    for path, content in sorted(contents.items()):
        whole.update(f"{path}\0{len(content)}\0".encode())
        whole.update(content)
    return whole.hexdigest()


def context_of(root: Path, besides: frozenset[str]) -> dict[str, bytes]:
    """Return settings and the other Python files, as many as a model may be shown."""
    found: dict[str, bytes] = {}
    room = MAX_CONTEXT_BYTES
    settings = [root / name for name in SETTINGS]
    for path in dict.fromkeys([*settings, *sorted(root.rglob("*.py"))]):
        name = path.relative_to(root).as_posix()
        if name in besides or path.is_symlink() or not path.is_file():
            continue
        room -= path.stat().st_size
        if room < 0:
            break
        found[name] = path.read_bytes()
    return found


def _document(
    place: Place, change: ChangeSet, commit: str, event_ids: Sequence[str]
) -> dict[str, Any]:
    return {
        "commit": commit,
        "base": place.base.commit,
        "paths": [edit.path for edit in change.edits],
        "event_ids": list(event_ids),
        "rationale": change.rationale,
        "unresolved": list(change.unresolved),
    }
