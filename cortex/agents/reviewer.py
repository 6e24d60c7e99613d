"""The reviewer: tries a change on top of what was accepted, and accepts it or sends it back."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cortex.agents.accepting import Acceptance, coder_events
from cortex.agents.architect import planned_of
from cortex.agents.base import BaseAgent
from cortex.agents.checking import (
    COMPILES,
    Checked,
    compared,
    compile_command,
    parse_checks,
    run_check,
    run_checks,
)
from cortex.agents.recalling import noted, remember
from cortex.agents.site import Base, Place, Site
from cortex.engine.claims import Claim, TaskResult
from cortex.engine.job import PLAN_TASK, REVIEWER, Check
from cortex.engine.replay import RunState
from cortex.models.port import Finding, Memory, PlannedTask, ReviewRequest
from cortex.tools.comparison import compare
from cortex.tools.run_repository import Conflict
from nervous_system.agent import Agent
from nervous_system.comms.contracts import Receipt
from nervous_system.options import Causes
from nervous_system.telemetry.linking import read_carrier


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tried:
    """A change on top of the newest accepted state, with what the checks say."""

    base: Base
    candidate: str
    """The commit that accepting would put on the branch."""
    diff: str
    paths: tuple[str, ...]
    findings_before: tuple[Finding, ...]
    findings_after: tuple[Finding, ...]
    before: Mapping[str, Checked]
    after: Mapping[str, Checked]


class Reviewer(BaseAgent):
    """Judges one handed-in change at a time."""

    role = REVIEWER

    def __init__(self, agent: Agent, site: Site) -> None:
        super().__init__(agent)
        self._site = site
        self._acceptance = Acceptance(site, self.tools)

    async def work(self, claim: Claim) -> TaskResult:
        """Judge a change; put it on the run's branch where it is accepted."""
        site = self._site
        self.tools.take_event_ids()
        state = await site.state()
        base = await self._acceptance.settle(claim, state)
        if not isinstance(base, Base):
            return TaskResult(document=base)
        candidate = await site.repository.candidate(str(claim.result["commit"]), base.commit)
        if isinstance(candidate, Conflict):
            names = ", ".join(os.fsdecode(path) for path in candidate.paths)
            reason = f"conflicts with what was accepted since, in {names}"
            rejected = (f"taking one of the two sides in {names}: it would undo the other",)
            decision = await self._say(claim, accepted=False, rationale=reason, rejected=rejected)
            return TaskResult.sent_back(reason, decision=decision.event_id)
        async with site.fork(self.tools, claim, base) as place:
            tried = await self._try(claim, state, place, candidate)
        memories = await noted(site, self.tools)
        review = await site.model.review(_request(site, claim, tried, memories))
        decision = await self._say(
            claim,
            accepted=review.accepted,
            rationale=review.rationale,
            rejected=review.rejected_alternatives,
            confidence=review.confidence,
            memories=memories,
        )
        if not review.accepted:
            return TaskResult.sent_back("; ".join(review.reasons), decision=decision.event_id)
        return await self._accept(claim, tried, decision)

    async def _try(self, claim: Claim, state: RunState, place: Place, candidate: str) -> _Tried:
        site, job, base = self._site, self._site.job, place.base
        planned = planned_of(claim.task)
        names = await site.repository.changed_paths(base.commit, candidate)
        paths = tuple(os.fsdecode(name) for name in names)
        there = [path for path in paths if (place.tree.root / path).is_file()]
        findings = await place.linter.check(there, rules=planned.rules) if there else []
        before = _known_checks(state, base) or await run_checks(place.linter, job.checks)
        await self._show(place, candidate)
        left = [path for path in paths if (place.tree.root / path).is_file()]
        after = {
            **await _compiled(place, left),
            **await run_checks(place.linter, job.checks),
        }
        found = await place.linter.check(left, rules=planned.rules) if left else []
        if COMPILES in after and not after[COMPILES].passed:  # did these files ever?
            await self._show(place, base.commit)
            before = {**before, **await _compiled(place, there)}
        return _Tried(
            base=base,
            candidate=candidate,
            diff=await site.repository.diff(base.commit, candidate),
            paths=paths,
            findings_before=tuple(findings),
            findings_after=tuple(found),
            before=before,
            after=after,
        )

    async def _show(self, place: Place, candidate: str) -> None:
        """Bring the files of the candidate into the work tree."""
        arguments = {"commit": candidate}
        async with place.workspace.lock, self.tools.call("git_show", arguments) as call:
            await self._site.repository.move_work_tree(place.tree, candidate)
            after = await place.workspace.look()
            differences = compare(place.workspace.manifest, after.files)

            async def tell(cause: Causes) -> None:
                await place.workspace.record(self.tools, differences, caused_by=cause)

            call.then(tell)
            call.set_result(f"{len(differences)} files differ")

    async def _say(
        self,
        claim: Claim,
        *,
        accepted: bool,
        rationale: str,
        rejected: Sequence[str],
        confidence: float = 1.0,
        memories: Sequence[Memory] = (),
    ) -> Receipt:
        verdict = "accept" if accepted else "send back"
        said = f"{verdict} {claim.task.task_id}: {rationale}"
        decision = await self.agent.decide(
            rationale=said,
            rejected_alternatives=rejected,
            confidence=confidence,
            input_trigger=f"task {claim.task.task_id}: {claim.task.title}, handed in",
            memory_ids=[one.memory_id for one in memories],
            caused_by=[*coder_events(claim.result)[:1], *_claim_causes(claim)],
        )
        await remember(self._site, self.tools, claim, said, decision)
        return decision

    async def _accept(self, claim: Claim, tried: _Tried, decision: Receipt) -> TaskResult:
        event_ids = (*coder_events(claim.result), decision.event_id)
        commit = await self._site.repository.reworded(
            tried.candidate,
            planned_of(claim.task).title,
            str(claim.result.get("rationale", "")),
            event_ids=event_ids,
        )
        verdict = await self._acceptance.put(tried.base, commit, event_ids, decision)
        # What compiles is asked of the files of one change: it says nothing of the next one's.
        checks = {name: one.as_document() for name, one in tried.after.items() if name != COMPILES}
        return TaskResult(document={**verdict, "checks": checks})


async def _compiled(place: Place, paths: Sequence[str]) -> dict[str, Checked]:
    """Return whether the Python files among these compile; nothing where there are none."""
    python = [path for path in paths if path.endswith(".py")]
    if not python:
        return {}
    check = Check(name=COMPILES, command=compile_command(python))
    return {COMPILES: await run_check(place.linter, check)}


def _request(
    site: Site, claim: Claim, tried: _Tried, memories: tuple[Memory, ...]
) -> ReviewRequest:
    planned: PlannedTask = planned_of(claim.task)
    return ReviewRequest(
        task=site.job.task,
        planned=planned,
        diff=tried.diff,
        changed_paths=tried.paths,
        findings_before=tried.findings_before,
        findings_after=tried.findings_after,
        checks=compared(tried.before, tried.after),
        rationale=str(claim.result.get("rationale", "")),
        unresolved=tuple(map(str, claim.result.get("unresolved", ()))),
        memories=memories,
    )


def _known_checks(state: RunState, base: Base) -> dict[str, Checked]:
    """Return what the checks said of the newest accepted state, where that was looked at."""
    for view in state.tasks.values():
        if view.verdict.get("commit") == base.commit:
            return parse_checks(view.verdict.get("checks", {}))
    plan = state.tasks.get(PLAN_TASK)
    return parse_checks(plan.result.get("checks", {})) if plan is not None else {}


def _claim_causes(claim: Claim) -> tuple[str, ...]:
    return tuple(read_carrier(claim.carrier).caused_by)
