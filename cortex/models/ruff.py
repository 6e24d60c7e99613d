"""Ruff, asked about the text of one file: what it finds, and what its safe fixes make of it.

Text goes in and comes out by pipes; no file is written. The repository's configuration counts, as
ruff reads it from `root`; it is data and runs nothing.
"""

import asyncio
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from cortex.errors import ToolFailedError
from cortex.models.port import Finding
from cortex.tools.findings import parse_findings
from cortex.tools.linter import PREVIEW

UNREADABLE_RULE = "E902"
_UNKNOWN_RULE = b"Unknown rule selector"


class SourceLinter(Protocol):
    """What the offline model asks about a text that is in no file yet."""

    async def check(
        self, root: Path, path: str, text: str, rules: Sequence[str] | None
    ) -> tuple[Finding, ...]:
        """The findings of these rules, or (None) of those that the repository's configuration has.

        Raises:
            ToolFailedError: the linter could not run.
        """
        ...

    async def fix(self, root: Path, path: str, text: str, rules: Sequence[str]) -> str:
        """The text after the safe fixes of these rules.

        Raises:
            ToolFailedError: the linter could not run.
        """
        ...


def rule_arguments(rules: Sequence[str]) -> list[str]:
    """Arguments with which `ruff check` looks for these rules only, preview rules among them."""
    return ["--select", ",".join(rules), *PREVIEW]


def ruff_command() -> tuple[str, ...]:
    """How ruff is called: as the program beside this Python, else as its module.

    -I keeps modules of the repository's from being taken for ruff.
    """
    beside = Path(sys.executable).with_name("ruff")
    return (str(beside),) if beside.is_file() else (sys.executable, "-I", "-m", "ruff")


def _absolute(root: Path) -> str:
    return str(root.absolute())


class RuffLinter:
    """Runs ruff as a process for each question."""

    def __init__(
        self,
        command: Sequence[str] = (),
        timeout: timedelta = timedelta(seconds=60),
    ) -> None:
        self._command = tuple(command)
        self._timeout = timeout

    async def check(
        self, root: Path, path: str, text: str, rules: Sequence[str] | None
    ) -> tuple[Finding, ...]:
        """See SourceLinter."""
        chosen = [] if rules is None else rule_arguments(rules)
        arguments = ["--output-format", "json", *chosen]
        output = await self._run(root, path, text, arguments)
        return tuple(parse_findings(output, _absolute(root)))

    async def fix(self, root: Path, path: str, text: str, rules: Sequence[str]) -> str:
        """See SourceLinter."""
        arguments = ["--fix-only", *rule_arguments(rules)]
        return (await self._run(root, path, text, arguments)).decode()

    async def _run(self, root: Path, path: str, text: str, arguments: list[str]) -> bytes:
        fixed = ["check", "--no-cache", "--exit-zero", "--force-exclude"]
        process = await asyncio.create_subprocess_exec(
            *(self._command or ruff_command()),
            *fixed,
            *arguments,
            "--stdin-filename",
            f"{_absolute(root)}/{path}",
            "-",
            cwd=root,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(self._timeout.total_seconds()):
                output, complaint = await process.communicate(text.encode())
        except TimeoutError as error:
            raise ToolFailedError(tool="ruff", reason=f"no answer about {path}") from error
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        # With preview rules on, a rule that does not exist is a mere warning to ruff.
        if process.returncode or _UNKNOWN_RULE in complaint:
            last = complaint.decode(errors="replace").strip().splitlines()[-1:] or ["no reason"]
            raise ToolFailedError(tool="ruff", reason=last[0])
        return output
