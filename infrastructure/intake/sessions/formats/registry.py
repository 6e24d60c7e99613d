"""All formats: what each is called, what reads it, how it is recognised. Pure.

A mapper's version rises when the same transcript is to be told in other events.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from infrastructure.intake.sessions.formats.aider import AiderReader
from infrastructure.intake.sessions.formats.claude_code import ClaudeCodeReader
from infrastructure.intake.sessions.formats.codex import CodexReader
from infrastructure.intake.sessions.formats.gemini import GeminiReader
from infrastructure.intake.sessions.formats.hermes import HermesReader
from infrastructure.intake.sessions.formats.miniswe import MiniSweReader
from infrastructure.intake.sessions.formats.opencode import OpenCodeExportReader, OpenCodeReader
from infrastructure.intake.sessions.formats.openhands import OpenHandsReader
from infrastructure.intake.sessions.formats.pi import PiReader
from infrastructure.intake.sessions.formats.sweagent import SweAgentReader
from infrastructure.intake.sessions.reader import ReaderFactory, mapping_of
from infrastructure.intake.sessions.splitting import parse_line
from nervous_system.payloads import LineSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One shape of a harness's transcripts."""

    name: str
    """Unique; the harness's, with the shape behind it where there are several."""
    harness: str
    version: int = 1
    source: LineSource = "import"
    reader: ReaderFactory
    is_lines: bool = False
    """Each line is read by itself, so that it can be followed."""
    is_text: bool = False
    """Lines are text, not JSON."""

    @property
    def mapper(self) -> str:
        """Name and version, as events carry them."""
        return f"{self.name}@{self.version}"


FORMATS: Final[Mapping[str, Format]] = {
    one.name: one
    for one in (
        Format(
            name="claude-code",
            harness="claude-code",
            source="transcript",
            reader=ClaudeCodeReader,
            is_lines=True,
        ),
        Format(
            name="codex", harness="codex", source="transcript", reader=CodexReader, is_lines=True
        ),
        Format(name="codex-stream", harness="codex", reader=CodexReader, is_lines=True),
        Format(
            name="openclaw", harness="openclaw", source="transcript", reader=PiReader, is_lines=True
        ),
        Format(name="pi", harness="pi", source="transcript", reader=PiReader, is_lines=True),
        Format(name="hermes", harness="hermes", source="transcript", reader=HermesReader),
        Format(name="hermes-export", harness="hermes", reader=HermesReader),
        Format(name="gemini", harness="gemini", reader=GeminiReader),
        Format(name="gemini-lines", harness="gemini", reader=GeminiReader, is_lines=True),
        Format(name="opencode", harness="opencode", reader=OpenCodeReader),
        Format(name="opencode-database", harness="opencode", reader=OpenCodeReader),
        Format(name="opencode-export", harness="opencode", reader=OpenCodeExportReader),
        Format(name="opencode-stream", harness="opencode", reader=OpenCodeReader, is_lines=True),
        Format(name="aider", harness="aider", reader=AiderReader, is_text=True),
        Format(name="swe-agent", harness="swe-agent", reader=SweAgentReader),
        Format(name="mini-swe-agent", harness="mini-swe-agent", reader=MiniSweReader),
        Format(name="openhands", harness="openhands", reader=OpenHandsReader, is_lines=True),
        Format(name="openhands-messages", harness="openhands", reader=OpenHandsReader),
    )
}
"""By name."""
HARNESSES: Final = tuple(dict.fromkeys(one.harness for one in FORMATS.values()))

_CLAUDE_TYPES = frozenset(
    {
        *("user", "assistant", "system", "summary", "progress", "file-history-snapshot"),
        "queue-operation",
    }
)
_CODEX_TYPES = frozenset({"session_meta", "response_item", "event_msg", "turn_context"})
_STREAM_TYPES = frozenset(
    {"thread.started", "turn.started", "turn.completed", "item.started", "item.completed"}
)
_CODEX_KEYS = frozenset({"originator", "cli_version", "instructions"})


def format_of_text(text: str, name: str) -> Format | None:
    """Return the format of a file by its beginning; None: nobody knows it.

    Args:
        text: The beginning, or all of it.
        name: Of the file, with its folders.
    """
    if text.startswith("# aider chat started at") or name.endswith(".aider.chat.history.md"):
        return FORMATS["aider"]
    if "\n#### " in text and name.endswith(".md"):
        return FORMATS["aider"]
    objects = [one for line in text.split("\n")[:60] for one in parse_line(line).objects]
    found = _format_of_lines(objects, name)
    if found is not None:
        return FORMATS[found]
    return None


def format_of_document(document: object, name: str) -> Format | None:
    """Return the format of a file that is one JSON value; None: nobody knows it."""
    found = (
        _format_of_list([one for one in document if isinstance(one, Mapping)])
        if isinstance(document, list)
        else _format_of_object(mapping_of(document), name)
    )
    return FORMATS[found] if found else None


def _format_of_lines(objects: Iterable[Mapping[str, Any]], name: str) -> str | None:
    for one in objects:
        found = _format_of_line(one, name)
        if found is not None:
            return found
    return None


def _format_of_line(one: Mapping[str, Any], name: str) -> str | None:
    kind = one.get("type")
    if isinstance(one.get("payload"), Mapping) and kind in _CODEX_TYPES:
        return "codex"
    if kind in _STREAM_TYPES:
        return "codex-stream"
    if isinstance(one.get("kind"), str) and str(one["kind"]).endswith(("Event", "Observation")):
        return "openhands"
    if "sessionId" in one and "projectHash" in one and "messages" not in one:
        return "gemini-lines"
    if isinstance(one.get("part"), Mapping) and "sessionID" in one:
        return "opencode-stream"
    role = mapping_of(one.get("message")).get("role")
    if kind == "session" or (kind == "message" and role):
        return "openclaw" if "openclaw" in json.dumps(one) or "openclaw" in name else "pi"
    if kind in _CLAUDE_TYPES and ("uuid" in one or "sessionId" in one or "leafUuid" in one):
        return "claude-code"
    if kind in {"file-history-snapshot", "summary"} or (kind == role and role):
        return "claude-code"
    if kind == "message" and "role" in one:
        return "codex"
    return "codex" if _CODEX_KEYS & one.keys() and "id" in one else None


def _format_of_object(document: Mapping[str, Any], name: str) -> str | None:
    messages = document.get("messages")
    first = mapping_of(messages[0]) if isinstance(messages, list) and messages else {}
    if "trajectory" in document or (name.endswith(".traj") and "history" in document):
        return "swe-agent"
    if "trajectory_format" in document or "mini_version" in mapping_of(document.get("info")):
        return "mini-swe-agent"
    if isinstance(document.get("info"), Mapping) and "parts" in first:
        return "opencode-export"
    if "session_id" in document and isinstance(messages, list):
        return "hermes-export"
    if "projectHash" in document or "type" in first:
        return "gemini"
    history = document.get("history")
    if isinstance(history, list) and any("parts" in mapping_of(one) for one in history):
        return "gemini"
    return "swe-agent" if isinstance(history, list) else None


def _format_of_list(items: list[Mapping[str, Any]]) -> str | None:
    if any(one.get("type") in {"gemini", "user"} for one in items):
        return "gemini"
    if not any("role" in one for one in items):
        return None
    texts = [one["content"] for one in items if isinstance(one.get("content"), str)]
    if any("<returncode>" in one or "mswea_bash_command" in one for one in texts):
        return "mini-swe-agent"
    return "openhands-messages"
