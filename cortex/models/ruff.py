"""Ruff, asked about the text of one file: what it finds, and what its safe fixes make of it.

Text goes in and comes out by pipes; no file is written. The repository's configuration counts, as
ruff reads it from `root`; it is data and runs nothing.
"""

import asyncio
import json
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

from cortex.errors import ToolFailedError
from cortex.models.port import Finding

SYNTAX_RULE = "invalid-syntax"
UNREADABLE_RULE = "E902"
_UNKNOWN_RULE = b"Unknown rule selector"
_PREVIEW = ("--preview", "--config", "lint.explicit-preview-rules=true")


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
    return ["--select", ",".join(rules), *_PREVIEW]


def parse_findings(output: bytes, root: Path) -> tuple[Finding, ...]:
    """Read ruff's JSON (`--output-format json`); paths become relative to `root`.

    Raises:
        ToolFailedError: it is not what ruff prints.
    """
    try:
        return tuple(_finding(one, root) for one in json.loads(output))
    except (ValueError, KeyError, TypeError) as error:
        raise ToolFailedError(tool="ruff", reason=f"its output cannot be read: {error}") from error


def _finding(entry: dict[str, Any], root: Path) -> Finding:
    path = Path(entry["filename"])
    if path.is_absolute():
        # Over a link, ruff writes the one name of the root or the other.
        for base in (root.absolute(), root.resolve()):
            path = path.relative_to(base) if path.is_relative_to(base) else path
    fix = entry["fix"] or {}
    return Finding(
        path=path.as_posix(),
        rule=entry["code"] or SYNTAX_RULE,
        name=entry.get("name") or "",
        message=entry["message"],
        row=entry["location"]["row"],
        column=entry["location"]["column"],
        has_safe_fix=fix.get("applicability") == "safe",
    )


def ruff_command() -> tuple[str, ...]:
    """How ruff is called: as the program beside this Python, else as its module."""
    beside = Path(sys.executable).with_name("ruff")
    return (str(beside),) if beside.is_file() else (sys.executable, "-m", "ruff")


def _file_name(root: Path, path: str) -> str:
    return str(root.absolute() / path)


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
        return parse_findings(output, root)

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
            _file_name(root, path),
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
