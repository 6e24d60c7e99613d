"""Checks of a workspace: ruff, and any command from the run's configuration.

Both run as commands do, within limits and compared before and after. Ruff reads the repository's
own configuration, which cannot name commands, and is told to change nothing.
"""

import sys
from collections.abc import Sequence

from cortex.errors import ToolFailedError, ToolTimedOutError
from cortex.models.port import Finding
from cortex.tools.config import Limits
from cortex.tools.findings import parse_findings
from cortex.tools.process import Ending
from cortex.tools.shell import Shell, ShellResult
from nervous_system.options import Causes

# -I: no module of the repository's is taken for ruff.
RUFF = (sys.executable, "-I", "-m", "ruff", "check")
RUFF_OPTIONS = (
    "--output-format=json",
    "--exit-zero",
    "--no-cache",
    "--no-fix",
    "--no-fix-only",
    "--quiet",
)
PREVIEW = ("--preview", "--config", "lint.explicit-preview-rules=true")
"""Rules in preview can be asked for by their whole code; no others come with that."""
MAX_REPORT_BYTES = 64 * 1024 * 1024


class Linter:
    """Checks one workspace, for one agent."""

    def __init__(self, shell: Shell, limits: Limits | None = None) -> None:
        self._shell = shell
        self._limits = limits or Limits(seconds=120.0, output_bytes=MAX_REPORT_BYTES)

    async def check(
        self,
        paths: Sequence[str] = (".",),
        *,
        rules: Sequence[str] = (),
        caused_by: Causes = (),
    ) -> list[Finding]:
        """Return what ruff finds.

        Args:
            paths: files and directories of the workspace.
            rules: codes or beginnings of codes, beside those of the repository's configuration.
            caused_by: what led to it.

        Raises:
            ToolTimedOutError: it took too long.
            ToolFailedError: it did not run to its end.
        """
        selected = ("--extend-select", ",".join(rules), *PREVIEW) if rules else ()
        command = [*RUFF, *RUFF_OPTIONS, *selected, "--", *paths]
        result = await self._shell.run(
            command, tool="linter", limits=self._limits, caused_by=caused_by
        )
        done = result.command
        if done.ending is Ending.TIMED_OUT:
            raise ToolTimedOutError(tool="linter", seconds=self._limits.seconds)
        if not done.is_success:
            reason = done.stderr.decode("utf-8", "replace").strip() or done.describe()
            raise ToolFailedError(tool="linter", reason=reason)
        return parse_findings(done.stdout, str(self._shell.root))

    async def run(
        self,
        name: str,
        command: Sequence[str] | str,
        *,
        limits: Limits | None = None,
        caused_by: Causes = (),
    ) -> ShellResult:
        """Run a check of the run's configuration; its failing is a result."""
        return await self._shell.run(
            command, tool=f"check_{name}", limits=limits, caused_by=caused_by
        )
