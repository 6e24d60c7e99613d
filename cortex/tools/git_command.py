"""Runs git so that no repository decides what is executed.

No hooks, no file system monitor, no pager, editor, signing, credential or transport programs, no
settings of the system or the user. Filters, merge and diff programs have names that nobody can
list; what would use them runs in repositories of our own only, whose settings are ours.
"""

import asyncio
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cortex.errors import ToolFailedError, ToolTimedOutError
from cortex.tools.config import GitConfig
from cortex.tools.finishing import unbroken

OVERRIDES = {
    "advice.detachedHead": "false",
    "commit.gpgSign": "false",
    "core.alternateRefsCommand": "false",
    "core.askPass": "false",
    "core.attributesFile": os.devnull,
    "core.editor": "false",
    "core.excludesFile": os.devnull,
    "core.fsmonitor": "false",
    "core.fsync": "all",
    "core.gitProxy": "false",
    "core.hooksPath": os.devnull,
    "core.logAllRefUpdates": "false",
    "core.pager": "cat",
    "core.sshCommand": "false",
    "core.untrackedCache": "false",
    "credential.helper": "",
    "diff.external": "false",
    "gc.auto": "0",
    "gpg.program": "false",
    "maintenance.auto": "false",
    "protocol.allow": "never",
    "sequence.editor": "false",
    "submodule.recurse": "false",
    "uploadpack.packObjectsHook": "false",
}
ENVIRONMENT = {
    "GIT_ASKPASS": "false",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_EDITOR": "false",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_PAGER": "cat",
    "GIT_TERMINAL_PROMPT": "0",
    "HOME": os.devnull,
    "LC_ALL": "C",
}


@dataclass(frozen=True, slots=True)
class GitResult:
    """What git answered."""

    exit_code: int
    stdout: bytes
    stderr: bytes

    @property
    def text(self) -> str:
        """The output as one line of text."""
        return os.fsdecode(self.stdout).rstrip("\n")

    @property
    def reason(self) -> str:
        """The last line of complaint, without git's own prefixes."""
        lines = self.stderr.decode("utf-8", "replace").strip().splitlines()
        told = [line for line in lines if line.startswith(("fatal: ", "error: "))] or lines
        return told[0].partition(": ")[2] or told[0] if told else f"exit code {self.exit_code}"


class Git:
    """Runs git in one directory, with one repository, index and work tree."""

    def __init__(
        self,
        config: GitConfig,
        directory: Path,
        *,
        git_directory: Path | None = None,
        work_tree: Path | None = None,
        index: Path | None = None,
    ) -> None:
        self._config = config
        self._directory = directory
        places = {
            "GIT_DIR": git_directory,
            "GIT_WORK_TREE": work_tree,
            "GIT_INDEX_FILE": index,
        }
        self._places = {name: str(place) for name, place in places.items() if place is not None}

    async def run(
        self, *arguments: str, stdin: bytes = b"", environment: Mapping[str, str] | None = None
    ) -> GitResult:
        """Run git and return what it answered.

        Raises:
            ToolFailedError: it answered with an error, or cannot be started.
            ToolTimedOutError: it took too long.
        """
        result = await self.ask(*arguments, stdin=stdin, environment=environment)
        if result.exit_code:
            raise ToolFailedError(tool=f"git {arguments[0]}", reason=result.reason)
        return result

    async def ask(
        self, *arguments: str, stdin: bytes = b"", environment: Mapping[str, str] | None = None
    ) -> GitResult:
        """Run git and return what it answered, also where that is an error.

        Raises:
            ToolFailedError: it cannot be started.
            ToolTimedOutError: it took too long.
        """
        try:
            process = await asyncio.create_subprocess_exec(
                "git",
                *arguments,
                cwd=self._directory,
                env=self._environment(environment or {}),
                stdin=PIPE,
                stdout=PIPE,
                stderr=PIPE,
                start_new_session=True,
            )
        except OSError as error:
            raise ToolFailedError(
                tool="git", reason=f"cannot be started: {error.strerror}"
            ) from error
        return await self._answer(process, arguments, stdin)

    async def _answer(self, process: Process, arguments: Sequence[str], stdin: bytes) -> GitResult:
        try:
            async with asyncio.timeout(self._config.seconds):
                stdout, stderr = await process.communicate(stdin)
        except TimeoutError as error:
            raise ToolTimedOutError(
                tool=f"git {arguments[0]}", seconds=self._config.seconds
            ) from error
        finally:
            await unbroken(_end(process))
        return GitResult(process.returncode or 0, stdout, stderr)

    def _environment(self, extra: Mapping[str, str]) -> dict[str, str]:
        settings = {"GIT_CONFIG_COUNT": str(len(OVERRIDES))}
        for number, (key, value) in enumerate(OVERRIDES.items()):
            settings[f"GIT_CONFIG_KEY_{number}"] = key
            settings[f"GIT_CONFIG_VALUE_{number}"] = value
        return {
            "PATH": os.defpath,
            **self._config.inherited,
            **ENVIRONMENT,
            **settings,
            **self._places,
            **extra,
        }


async def _end(process: Process) -> None:
    """Kill what still runs, with all that it started."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
