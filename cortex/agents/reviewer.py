"""The reviewer: tries a change on top of what was accepted, and accepts it or sends it back."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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
from cortex.agents.site import Base, Place, Site
from cortex.engine.claims import Claim, TaskResult
from cortex.engine.job import PLAN_TASK, REVIEWER, Check
from cortex.engine.replay import RunState
from cortex.errors import AgentFailedError
from cortex.models.port import Finding, PlannedTask, Review, ReviewRequest
from cortex.tools.comparison import compare
from cortex.tools.run_repository import Conflict
from nervous_system.agent import Agent
from nervous_system.comms.contracts import Receipt
from nervous_system.options import Causes
from nervous_system.telemetry.linking import read_carrier


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tried:
    """A change on top of the newest accepted state, with what the checks say."""

    place: Place
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

    async def work(self, claim: Claim) -> TaskResult:
        """Judge a change; put it on the run's branch where it is accepted."""
        site = self._site
        self.tools.take_event_ids()
        state = await site.state()
        base = site.base(state)
        candidate = await site.repository.candidate(str(claim.result["commit"]), base.commit)
        if isinstance(candidate, Conflict):
            names = ", ".join(os.fsdecode(path) for path in candidate.paths)
            reason = f"conflicts with what was accepted since, in {names}"
            decision = await self._say(claim, accepted=False, rationale=reason)
            return TaskResult.sent_back(reason, decision=decision.event_id)
        tried = await self._try(claim, state, base, candidate)
        review = await site.model.review(_request(site, claim, tried))
        decision = await self._say(
            claim, accepted=review.accepted, rationale=review.rationale, review=review
        )
        if not review.accepted:
            return TaskResult.sent_back("; ".join(review.reasons), decision=decision.event_id)
        return await self._accept(claim, tried, decision)

    async def _try(self, claim: Claim, state: RunState, base: Base, candidate: str) -> _Tried:
        site, job = self._site, self._site.job
        planned = planned_of(claim.task)
        names = await site.repository.changed_paths(base.commit, candidate)
        paths = tuple(os.fsdecode(name) for name in names)
        name, workspace_id = self.agent.agent_id, f"{job.run_id}/review-{claim.fence}"
        place = await site.fork(self.tools, name, workspace_id, base)
        there = [path for path in paths if (place.tree.root / path).is_file()]
        findings = await place.linter.check(there, rules=planned.rules) if there else []
        before = _known_checks(state, base) or await run_checks(place.linter, job.checks)
        await self._show(place, candidate)
        left = [path for path in paths if (place.tree.root / path).is_file()]
        after = await self._check(place, left)
        found = await place.linter.check(left, rules=planned.rules) if left else []
        return _Tried(
            place=place,
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

    async def _check(self, place: Place, paths: Sequence[str]) -> dict[str, Checked]:
        python = [path for path in paths if path.endswith(".py")]
        found: dict[str, Checked] = {}
        if python:
            check = Check(name=COMPILES, command=compile_command(python))
            found[COMPILES] = await run_check(place.linter, check)
        return {**found, **await run_checks(place.linter, self._site.job.checks)}

    async def _say(
        self, claim: Claim, *, accepted: bool, rationale: str, review: Review | None = None
    ) -> Receipt:
        verdict = "accept" if accepted else "send back"
        other = "send it back" if accepted else "accept it as it is"
        return await self.agent.decide(
            rationale=f"{verdict} {claim.task.task_id}: {rationale}",
            rejected_alternatives=[*(review.rejected_alternatives if review else ()), other],
            confidence=review.confidence if review else 1.0,
            input_trigger=f"task {claim.task.task_id}: {claim.task.title}, handed in",
            caused_by=[*_coder_events(claim)[:1], *_claim_causes(claim)],
        )

    async def _accept(self, claim: Claim, tried: _Tried, decision: Receipt) -> TaskResult:
        repository = self._site.repository
        event_ids = (*_coder_events(claim), decision.event_id)
        planned = planned_of(claim.task)
        body = str(claim.result.get("rationale", ""))
        commit = await repository.reworded(
            tried.candidate, planned.title, body, event_ids=event_ids
        )
        commit = await self._advance(claim, tried, commit, decision)
        last = await self._record(tried, commit, decision, claim)
        await repository.publish()
        document = {
            "commit": commit,
            "files": list(tried.paths),
            "event_ids": list(event_ids),
            "workspace_event": last,
            "checks": {name: one.as_document() for name, one in tried.after.items()},
        }
        return TaskResult(document=document)

    async def _advance(self, claim: Claim, tried: _Tried, commit: str, decision: Receipt) -> str:
        """Move the run's branch on to the commit that was checked; return what is on it then."""
        repository, base = self._site.repository, tried.place.base.commit
        arguments = {"commit": commit, "branch": repository.branch}
        async with self.tools.call("git_accept", arguments, caused_by=(decision,)) as call:
            if await repository.advance(commit, base):
                call.set_result(commit)
                return commit
            head = await repository.head()
            checked = await repository.parent_and_tree(commit)
            if await repository.parent_and_tree(head) == checked:
                call.set_result(f"{head}, accepted before")  # by one who could not say so any more
                return head
            raise AgentFailedError(
                agent_id=self.agent.agent_id,
                task_id=claim.task.task_id,
                attempt=claim.attempt,
                reason="the run's branch has moved on meanwhile",
            )

    async def _record(self, tried: _Tried, commit: str, decision: Receipt, claim: Claim) -> str:
        """Say in the run's own workspace what the accepted commit changed there."""
        site = self._site
        last = tried.place.base.event_id
        # First what led to the lines, then what let them in.
        causes = (*_coder_events(claim)[:1], decision.event_id)
        for change in await site.repository.changes(tried.place.base.commit, tried.candidate):
            receipt = await self.agent.change_file(
                change.path,
                before=change.before,
                after=change.after,
                mode=change.mode,
                workspace_id=site.job.run_id,
                caused_by=causes,
                attributes={"commit": commit},
                wait=True,
            )
            last = receipt.event_id
        return last


def _request(site: Site, claim: Claim, tried: _Tried) -> ReviewRequest:
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
    )


def _known_checks(state: RunState, base: Base) -> dict[str, Checked]:
    """Return what the checks said of the newest accepted state, where that was looked at."""
    for view in state.tasks.values():
        if view.verdict.get("commit") == base.commit:
            return parse_checks(view.verdict.get("checks", {}))
    plan = state.tasks.get(PLAN_TASK)
    return parse_checks(plan.result.get("checks", {})) if plan is not None else {}


def _coder_events(claim: Claim) -> tuple[str, ...]:
    return tuple(map(str, claim.result.get("event_ids", ())))


def _claim_causes(claim: Claim) -> tuple[str, ...]:
    return tuple(read_carrier(claim.carrier).caused_by)
