"""Commands in a workspace: run within limits, and everything that they changed is told.

The workspace is compared before and after: what differs before was changed from outside, what
differs after was changed by the command, also where it was stopped or the call cancelled.
"""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from cortex.tools.comparison import Difference, compare
from cortex.tools.config import Limits, ShellConfig
from cortex.tools.finishing import unbroken
from cortex.tools.paths import shown
from cortex.tools.process import (
    BoundedOutput,
    CommandResult,
    Ending,
    build_environment,
    run_command,
)
from cortex.tools.recording import ToolCall, ToolRecorder, shortened
from cortex.tools.snapshot import Snapshot
from cortex.tools.workspace import Workspace
from nervous_system.options import Causes
from nervous_system.payloads import ToolOutcome
from nervous_system.telemetry.linking import build_environment as build_link_environment

TOLD_BYTES = 12 * 1024
"""Of the output, in the event of the call: beginning and end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShellResult:
    """What a command did."""

    command: CommandResult
    differences: tuple[Difference, ...]
    """What it changed, in the order in which it was told."""
    skipped: tuple[str, ...]
    """Special files in the workspace: they are not recorded."""


class Shell:
    """Runs commands in one workspace, for one agent."""

    def __init__(
        self, workspace: Workspace, recorder: ToolRecorder, config: ShellConfig | None = None
    ) -> None:
        self._workspace = workspace
        self._recorder = recorder
        self._config = config or ShellConfig()

    @property
    def root(self) -> Path:
        """Where commands are run."""
        return self._workspace.root

    async def run(
        self,
        command: Sequence[str] | str,
        *,
        tool: str = "run_command",
        limits: Limits | None = None,
        caused_by: Causes = (),
    ) -> ShellResult:
        """Run a command to its end; one that fails or is stopped is a result, not an error.

        Args:
            command: program and arguments; a text goes to `/bin/sh`.
            tool: name of the tool in the event.
            limits: instead of the configured ones.
            caused_by: what led to it.

        Raises:
            ToolFailedError: it cannot be started, or the workspace cannot be read.
        """
        words = ["/bin/sh", "-c", command] if isinstance(command, str) else list(command)
        told = command if isinstance(command, str) else shlex.join(words)
        arguments = {"command": shortened(told)}
        async with (
            self._workspace.lock,
            self._recorder.call(tool, arguments, caused_by=caused_by) as call,
        ):
            before = await self._workspace.look()
            await unbroken(self._workspace.record_outside(self._recorder, before.files))
            try:
                result = await self._run(words, limits or self._config.limits)
            finally:
                after = await unbroken(self._compare(call, before))
            call.set_result(_told(result))
            call.set_outcome(_outcome(result))
        return ShellResult(
            command=result,
            differences=tuple(compare(before.files, after.files)),
            skipped=tuple(map(shown, after.skipped)),
        )

    async def _run(self, words: Sequence[str], limits: Limits) -> CommandResult:
        link = build_link_environment(self._recorder.agent.carrier())
        with TemporaryDirectory(prefix="swarm-", ignore_cleanup_errors=True) as home:
            environment = build_environment(
                self._config.inherited, {**link, **self._config.environment}, Path(home)
            )
            return await run_command(
                words, directory=self._workspace.root, environment=environment, limits=limits
            )

    async def _compare(self, call: ToolCall, before: Snapshot) -> Snapshot:
        """Look again, and have what differs told with the call as its cause."""
        after = await self._workspace.look()
        differences = compare(before.files, after.files)

        async def tell(cause: Causes) -> None:
            await self._workspace.record(self._recorder, differences, caused_by=cause)

        call.then(tell)
        return after


def _outcome(result: CommandResult) -> ToolOutcome:
    if result.ending is Ending.TIMED_OUT:
        return "timed_out"
    return "ok" if result.is_success else "failed"


def _told(result: CommandResult) -> str:
    """Return how a command ended and the beginning and end of what it printed."""
    output = BoundedOutput(TOLD_BYTES)
    output.add(result.stdout)
    output.add(result.stderr)
    return f"{result.describe()}\n{output.content().decode('utf-8', 'replace')}"
