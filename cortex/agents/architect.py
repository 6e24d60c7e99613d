"""The architect: reads the repository and the task, and parts it into tasks for coders."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any

from cortex.agents.base import BaseAgent
from cortex.agents.checking import run_checks
from cortex.agents.planned import KeptPlan, keep_plan, kept_plan
from cortex.agents.recalling import recall, remember
from cortex.agents.site import Base, Place, Site
from cortex.engine.claims import Claim, TaskResult
from cortex.engine.job import ARCHITECT, CODER, PLAN_TASK, REVIEWER
from cortex.engine.tasks import Task
from cortex.models.port import FileEntry, Finding, Plan, PlannedTask, PlanRequest
from nervous_system.agent import Agent
from nervous_system.comms.contracts import Receipt

MAX_LISTED = 20_000
MAX_README_BYTES = 64 * 1024
READMES = ("README.md", "README.rst", "README.txt", "README", "CONTRIBUTING.md")


class Architect(BaseAgent):
    """Plans a run."""

    role = ARCHITECT

    def __init__(self, agent: Agent, site: Site) -> None:
        super().__init__(agent)
        self._site = site

    async def work(self, claim: Claim) -> TaskResult:
        """Plan, submit the plan's tasks, and say that the plan is complete."""
        site, job = self._site, self._site.job
        state = await site.state()
        if state.is_planned:  # a predecessor got as far as that
            return TaskResult(document=dict(state.tasks[PLAN_TASK].result))
        kept = await asyncio.to_thread(kept_plan, site.directory)
        if kept is None:
            kept = await self._decide(claim, site.base(state))
            await asyncio.to_thread(keep_plan, site.directory, kept)
        known = {one for one in state.tasks if one != PLAN_TASK}
        planned = [one for one in _named(kept.plan.tasks) if one.key not in known]
        await site.runs.submit([self._task(one, kept.decision_id) for one in planned])
        await site.runs.start(job.run_id)
        return TaskResult(document=_document(kept))

    async def _decide(self, claim: Claim, base: Base) -> KeptPlan:
        site, job = self._site, self._site.job
        rules = site.model.rules_for(job.task)
        async with site.fork(self.tools, claim, base) as place:
            findings = await place.linter.check(rules=rules)
            checked = await run_checks(place.linter, job.checks)
            plan, decision = await self._plan(place, findings)
        await remember(site, self.tools, claim, plan.rationale, decision)
        checks = {name: one.as_document() for name, one in checked.items()}
        return KeptPlan(plan=plan, decision_id=decision.event_id, checks=checks)

    async def _plan(self, place: Place, findings: Sequence[Finding]) -> tuple[Plan, Receipt]:
        job = self._site.job
        memories = await recall(self._site, job.task, self.tools)
        request = PlanRequest(
            task=job.task,
            files=await asyncio.to_thread(_listed, place.tree.root),
            findings=tuple(findings),
            contents=await self._readmes(place),
            memories=memories,
        )
        plan = await self._site.model.plan(request)
        decision = await self.agent.decide(
            rationale=plan.rationale,
            rejected_alternatives=[
                *plan.rejected_alternatives,
                *(f"{one.title}: {one.reason}" for one in plan.left_out),
            ],
            confidence=plan.confidence,
            input_trigger=job.task,
            context_hash=sha256(repr(request).encode("utf-8", "backslashreplace")).hexdigest(),
            memory_ids=[one.memory_id for one in memories],
        )
        return plan, decision

    async def _readmes(self, place: Place) -> Mapping[str, bytes]:
        there = [name for name in READMES if (place.tree.root / name).is_file()]
        found = {name: await place.files.read(name) for name in there[:2]}
        return {name: content[:MAX_README_BYTES] for name, content in found.items()}

    def _task(self, planned: PlannedTask, decision_id: str) -> Task:
        return Task(
            task_id=planned.key,
            run_id=self._site.job.run_id,
            role=CODER,
            reviewer=REVIEWER,
            title=planned.title,
            instructions={
                "why": planned.why,
                "paths": list(planned.paths),
                "rules": list(planned.rules),
            },
            depends_on=tuple(planned.depends_on),
            priority=planned.priority,
            carrier=self.agent.carrier(caused_by=(decision_id,)),
        )


def _named(planned: Sequence[PlannedTask]) -> list[PlannedTask]:
    """Return tasks none of which is called like the architect's own."""
    taken = {one.key for one in planned}
    free = next(name for number in count(2) if (name := f"{PLAN_TASK}-{number}") not in taken)
    names = {PLAN_TASK: free}
    return [
        replace(
            one,
            key=names.get(one.key, one.key),
            depends_on=tuple(names.get(key, key) for key in one.depends_on),
        )
        for one in planned
    ]


def planned_of(task: Task) -> PlannedTask:
    """Return the plan's task that a run's task was made from."""
    told: Mapping[str, Any] = task.instructions
    return PlannedTask(
        key=task.task_id,
        title=task.title,
        why=str(told.get("why", "")),
        paths=tuple(map(str, told.get("paths", ()))),
        rules=tuple(map(str, told.get("rules", ()))),
        depends_on=task.depends_on,
        priority=task.priority,
    )


def _document(kept: KeptPlan) -> dict[str, Any]:
    plan = kept.plan
    return {
        "tasks": [one.key for one in plan.tasks],
        "rationale": plan.rationale,
        "left_out": [{"title": one.title, "reason": one.reason} for one in plan.left_out],
        "checks": dict(kept.checks),
    }


def _listed(root: Path) -> tuple[FileEntry, ...]:
    """Return the repository's files, what git keeps for itself left out."""
    found: list[FileEntry] = []
    for path in sorted(root.rglob("*")):
        inside = path.relative_to(root)
        if inside.parts[0] == ".git" or not path.is_file() or path.is_symlink():
            continue
        name = inside.as_posix()
        if name.isprintable() and name.encode(errors="replace").decode() == name:
            found.append(FileEntry(path=name, size_bytes=path.stat().st_size))
        if len(found) == MAX_LISTED:
            break
    return tuple(found)
