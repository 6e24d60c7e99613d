"""Puts a checked change on the run's branch and says so, in an order that survives a crash.

The branch moves, the user's repository gets it, the run's workspace is told what changed, and then
the task is done. A reviewer that is lost in between leaves a branch that is one commit further than
what is recorded; nobody builds on that commit before it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cortex.agents.site import Base, Site
from cortex.engine.claims import Claim
from cortex.engine.replay import RunState
from cortex.errors import RepositoryError, TaskPutOffError, ToolFailedError
from cortex.tools.git_names import parse_trailers
from cortex.tools.git_ops import GitOps
from cortex.tools.recording import ToolRecorder
from nervous_system.comms.contracts import Receipt

COMMIT = "commit"
"""Attribute of the state changes of the run's workspace: the commit that brought them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unrecorded:
    """A commit on the run's branch of which no task says that it is its result."""

    commit: str
    event_ids: tuple[str, ...]
    """As its message names them: of the coder, then the reviewer's decision."""

    def is_of(self, event_ids: Sequence[str]) -> bool:
        """Return whether it came of the work that handed in these events."""
        return bool(event_ids) and set(event_ids) <= set(self.event_ids)


class Acceptance:
    """Brings changes onto a run's branch, for one reviewer."""

    def __init__(self, site: Site, tools: ToolRecorder) -> None:
        self._site = site
        self._tools = tools
        self._git = GitOps(site.repository, tools)

    async def settle(self, claim: Claim, state: RunState) -> Base | dict[str, Any]:
        """Return what a change is to be put on; or, of a change that is there, its verdict.

        Raises:
            TaskPutOffError: another change is on the branch, and its task is not done yet.
        """
        base = self._site.base(state)
        found = await self._unrecorded(base)
        if found is None:
            return base
        if found.is_of(coder_events(claim.result)):
            return await self._finish(base, found)
        if self._has_owner(found, state):
            raise TaskPutOffError(reason="another change is on its way onto the branch")
        last = await self._record(base, found)  # its task has ended: nobody else will do it
        return Base(commit=found.commit, event_id=last)

    async def put(
        self, base: Base, commit: str, event_ids: Sequence[str], decision: Receipt
    ) -> dict[str, Any]:
        """Move the branch on from `base` to a commit; return the verdict.

        Raises:
            TaskPutOffError: the branch has moved on meanwhile.
            RepositoryError: the user's repository does not take it; the branch is as it was.
        """
        if not await self._git.advance(commit, base.commit, caused_by=(decision,)):
            raise TaskPutOffError(reason="the run's branch has moved on meanwhile")
        try:
            await self._git.publish(caused_by=(decision,))
        except (RepositoryError, ToolFailedError):
            await self._git.advance(base.commit, commit, caused_by=(decision,))
            raise
        return await self._say(base, Unrecorded(commit=commit, event_ids=tuple(event_ids)), ())

    async def _unrecorded(self, base: Base) -> Unrecorded | None:
        repository = self._site.repository
        head = await repository.head()
        if head == base.commit:
            return None
        trailers = parse_trailers(await repository.message(head))
        return Unrecorded(commit=head, event_ids=trailers.event_ids)

    def _has_owner(self, found: Unrecorded, state: RunState) -> bool:
        """Return whether a task is open whose result it is, or one has just said so."""
        views = [one for one in state.tasks.values() if found.is_of(coder_events(one.result))]
        return not views or any(not one.has_ended for one in views)

    async def _finish(self, base: Base, found: Unrecorded) -> dict[str, Any]:
        """Do what the reviewer before did not come to."""
        await self._git.publish(caused_by=found.event_ids[-1:])
        return await self._say(base, found, await self._recorded(found.commit))

    async def _record(self, base: Base, found: Unrecorded) -> str:
        verdict = await self._say(base, found, await self._recorded(found.commit))
        return str(verdict["workspace_event"])

    async def _recorded(self, commit: str) -> tuple[str, ...]:
        """Return the events about a commit's changes that the stream holds, in their order."""
        run_id = self._site.job.run_id
        found = []
        async for stored in self._site.swarm.replay(subject="swarm.events.*.state_change.>"):
            event = stored.event
            is_ours = event.run_id == run_id and event.workspace_id == run_id
            if is_ours and event.attributes.get(COMMIT) == commit:
                found.append(event.event_id)
        return tuple(found)

    async def _say(
        self, base: Base, accepted: Unrecorded, recorded: Sequence[str]
    ) -> dict[str, Any]:
        """Tell the run's workspace what changed and is not recorded; return the verdict."""
        agent, job = self._tools.agent, self._site.job
        last = recorded[-1] if recorded else base.event_id
        # First what led to the lines, then what let them in.
        causes = tuple(dict.fromkeys((*accepted.event_ids[:1], *accepted.event_ids[-1:])))
        changes = await self._site.repository.changes(base.commit, accepted.commit)
        for change in changes[len(recorded) :]:  # told one after the other, always in this order
            receipt = await agent.change_file(
                change.path,
                before=change.before,
                after=change.after,
                mode=change.mode,
                workspace_id=job.run_id,
                caused_by=causes,
                attributes={COMMIT: accepted.commit},
                wait=True,
            )
            last = receipt.event_id
        return {
            "commit": accepted.commit,
            "files": [one.path.decode("utf-8", "backslashreplace") for one in changes],
            "event_ids": list(accepted.event_ids),
            "workspace_event": last,
        }


def coder_events(result: Any) -> tuple[str, ...]:
    """Return the events that a coder's result names."""
    return tuple(map(str, result.get("event_ids", ())))
