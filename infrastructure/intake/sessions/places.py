"""Where harnesses keep the transcripts of their sessions. Pure but for looking at folders."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from infrastructure.intake.sessions.errors import NoSessionError

MIRRORED = ("claude-code", "codex", "openclaw", "hermes")
"""Harnesses whose sessions can be mirrored while they go on."""
MAX_HEAD_BYTES = 64 * 1024
_PUNCTUATION = re.compile(r"[^A-Za-z0-9]")
_SEPARATORS = re.compile(r"[/.]")
"""Older versions left other punctuation as it is."""


def session_root(harness: str, environment: Mapping[str, str]) -> Path:
    """Return the folder, or the database, that holds a harness's sessions."""
    home = Path(environment.get("HOME") or Path.home())
    if harness == "claude-code":
        given = environment.get("CLAUDE_CONFIG_DIR")
        return (Path(given) if given else home / ".claude") / "projects"
    if harness == "codex":
        given = environment.get("CODEX_HOME")
        return (Path(given) if given else home / ".codex") / "sessions"
    if harness == "openclaw":
        given = environment.get("OPENCLAW_STATE_DIR") or environment.get("OPENCLAW_HOME")
        return (Path(given) if given else home / ".openclaw") / "agents"
    given = environment.get("HERMES_HOME")
    return (Path(given) if given else home / ".hermes") / "state.db"


def project_folders(directory: Path) -> list[str]:
    """Return what Claude Code's folder for sessions in a directory may be called."""
    name = str(directory)
    return list(dict.fromkeys([_PUNCTUATION.sub("-", name), _SEPARATORS.sub("-", name)]))


def transcripts(
    harness: str,
    root: Path,
    *,
    directory: Path | None = None,
    session_id: str = "",
) -> list[Path]:
    """Return the transcripts below `root`, the newest last; sub-agents' are among them.

    Args:
        harness: Whose they are.
        root: Where it keeps them.
        directory: Only of sessions that work there; Claude Code alone tells by the place.
        session_id: Only of this session.

    Raises:
        NoSessionError: there is none.
    """
    if harness == "hermes":
        if not root.is_file():
            raise NoSessionError(wanted=session_id or "database", looked_in=str(root))
        return [root]
    found = [path for path in _all(harness, root, directory) if _is_of(path, session_id)]
    if not found:
        raise NoSessionError(wanted=session_id or "transcript", looked_in=str(root))
    return sorted(found, key=_age)


def with_children(path: Path) -> list[Path]:
    """Return a transcript and those of its sub-agents, which lie in a folder of its name."""
    below = path.with_suffix("") / "subagents"
    return [path, *sorted(below.glob("agent-*.jsonl"))]


def _all(harness: str, root: Path, directory: Path | None) -> Iterator[Path]:
    if harness == "claude-code":
        folders = [root] if directory is None else [root / x for x in project_folders(directory)]
        for folder in folders:
            yield from folder.rglob("*.jsonl")
    elif harness == "codex":
        yield from root.rglob("rollout-*.jsonl")
    else:
        yield from root.glob("*/sessions/*.jsonl")


def _is_of(path: Path, session_id: str) -> bool:
    if not session_id:
        return True
    return session_id in path.stem or path.parent.parent.name == session_id


def _age(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def works_in(path: Path, directory: Path) -> bool:
    """Whether a transcript's first line says that its session works in a directory."""
    try:
        with path.open("rb") as file:
            first = file.readline(MAX_HEAD_BYTES)
    except OSError:
        return False
    return f'"cwd":{json.dumps(str(directory))}'.encode() in first.replace(b'": ', b'":')
