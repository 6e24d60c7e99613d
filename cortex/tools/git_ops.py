"""Git as agents use it: each call is an event."""

from collections.abc import Sequence

from cortex.tools.recording import ToolRecorder
from cortex.tools.run_repository import RunRepository, WorkTree
from nervous_system.options import Causes


class GitOps:
    """The run's repository, for one agent."""

    def __init__(self, run: RunRepository, recorder: ToolRecorder) -> None:
        self._run = run
        self._recorder = recorder

    async def add_work_tree(
        self, name: str, commit: str | None = None, *, caused_by: Causes = ()
    ) -> WorkTree:
        """Make a work tree with the files of a commit, by default the newest accepted one.

        Raises:
            ToolFailedError: git cannot make it.
        """
        arguments = {"name": name, "commit": commit}
        async with self._recorder.call("git_work_tree", arguments, caused_by=caused_by) as call:
            tree = await self._run.add_work_tree(name, commit)
            call.set_result(f"{tree.name} at {tree.base_commit}")
            return tree

    async def commit(
        self,
        tree: WorkTree,
        subject: str,
        body: str = "",
        *,
        event_ids: Sequence[str] = (),
        caused_by: Causes = (),
    ) -> str | None:
        """Commit what differs in a work tree, naming the events behind it; None: nothing does.

        Raises:
            ToolFailedError: git cannot store what is there.
        """
        arguments = {"work_tree": tree.name, "subject": subject, "body": body}
        async with self._recorder.call("git_commit", arguments, caused_by=caused_by) as call:
            commit = await self._run.commit(tree, subject, body, event_ids=event_ids)
            call.set_result(commit or "nothing to commit")
            return commit

    async def advance(self, commit: str, expected: str, *, caused_by: Causes = ()) -> bool:
        """Have the run's branch point to a commit; False where it does not point to `expected`."""
        arguments = {"commit": commit, "branch": self._run.branch, "expected": expected}
        async with self._recorder.call("git_advance", arguments, caused_by=caused_by) as call:
            is_moved = await self._run.advance(commit, expected)
            if not is_moved:
                call.set_outcome("failed")
            call.set_result(commit if is_moved else "the branch has moved on")
            return is_moved

    async def publish(self, *, caused_by: Causes = ()) -> str:
        """Give the user's repository the run's branch as it is now; return its commit.

        Raises:
            RepositoryError: the branch there is not what we left, or is checked out.
            ToolFailedError: git cannot hand it over.
        """
        arguments = {"branch": self._run.branch}
        async with self._recorder.call("git_publish", arguments, caused_by=caused_by) as call:
            commit = await self._run.publish()
            call.set_result(commit)
            return commit
