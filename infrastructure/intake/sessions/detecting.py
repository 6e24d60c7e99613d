"""What a source is: its format, and whose session it holds."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from infrastructure.intake.sessions.documents import load_json
from infrastructure.intake.sessions.errors import SourceError
from infrastructure.intake.sessions.formats.registry import (
    FORMATS,
    Format,
    format_of_document,
    format_of_text,
)
from infrastructure.intake.sessions.identity import Identity, identify
from infrastructure.intake.sessions.reader import mapping_of, parse_time
from infrastructure.intake.sessions.splitting import MAX_LINE_BYTES, parse_line
from infrastructure.intake.sessions.tables import MAGIC, open_tables, table_names

HEAD_BYTES: Final = 256 * 1024
HEAD_LINES: Final = 200
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_TRIMMED = "["
"""Begins what stands in the place of an id that somebody has cut out."""


def detect(path: Path, wanted: str = "") -> Format:
    """Return the format of a source.

    Args:
        path: A file, a database, or a folder that is one source.
        wanted: A format or a harness: only of the harness's formats.

    Raises:
        SourceError: it cannot be read, or nobody knows its format.
    """
    if wanted in FORMATS and not _has_shapes(wanted):
        return FORMATS[wanted]
    try:
        found = _detected(path)
    except OSError as error:
        raise SourceError(path=str(path), reason=error.strerror or str(error)) from error
    if found is not None and wanted in {"", found.harness, found.name}:
        return found
    if found is not None and {wanted, found.name} == {"pi", "openclaw"}:
        return FORMATS[wanted]
    if wanted in FORMATS:
        return FORMATS[wanted]
    names = ", ".join(FORMATS)
    raise SourceError(path=str(path), reason=f"no known format; --format names one of {names}")


def is_folder_source(path: Path) -> bool:
    """Whether a folder is one source, not a folder with sources in it."""
    return any((root / "message").is_dir() for root in (path, path / "storage"))


def is_transcript(path: Path) -> bool:
    """Whether a file is of a known format."""
    try:
        return _detected(path) is not None
    except (OSError, SourceError):
        return False


def _has_shapes(harness: str) -> bool:
    return sum(one.harness == harness for one in FORMATS.values()) > 1


def _detected(path: Path) -> Format | None:
    if path.is_dir():
        return FORMATS["opencode"] if is_folder_source(path) else None
    head = _head(path)
    if head.startswith(MAGIC):
        return _database(path)
    text = head.decode("utf-8", "replace")
    if not _is_document(text):
        found = format_of_text(text, str(path))
        if found is not None:
            return found
    try:
        return format_of_document(load_json(path), str(path))
    except SourceError:
        return format_of_text(text, str(path))


def _is_document(text: str) -> bool:
    """Whether a text is one JSON value over several lines, or a value that holds messages."""
    first = next((line for line in text.split("\n") if line.strip()), "").strip()
    if first in {"{", "["} or first.startswith("["):
        return True
    objects = parse_line(first).objects
    return bool(objects) and any(key in objects[0] for key in ("messages", "trajectory", "history"))


def _database(path: Path) -> Format | None:
    with open_tables(path) as tables:
        names = table_names(tables)
    if "messages" in names:
        return FORMATS["hermes"]
    return FORMATS["opencode-database"] if {"message", "part"} <= names else None


def _head(path: Path) -> bytes:
    """Return the beginning of a file: its first line whole, however long that is."""
    head = b""
    with path.open("rb") as file:
        while data := file.read(HEAD_BYTES):
            head += data
            if b"\n" in head or len(head) >= MAX_LINE_BYTES:
                break
    return head


def head_objects(head: bytes) -> list[Mapping[str, Any]]:
    """Return the objects in the first lines of a source; its last line may be half-written."""
    lines = head.split(b"\n")[:HEAD_LINES]
    return [one for line in lines for one in parse_line(line.decode("utf-8", "replace")).objects]


def identify_lines(
    path: Path, form: Format, objects: list[Mapping[str, Any]], *, session_id: str = ""
) -> Identity | None:
    """Return whose session a file of lines holds; None: its first lines do not tell.

    Args:
        path: The file.
        form: Its format.
        objects: Of its first lines.
        session_id: The session's name, if it is given.
    """
    if form.name == "claude-code":
        return _claude(path, form, objects, session_id)
    named = session_id or _session_name(form, objects)
    if not named:
        return None
    return identify(
        form.harness, form.mapper, form.source, named, parent_session=_parent(form, objects)
    )


def first_time(objects: list[Mapping[str, Any]]) -> int:
    """Return the first time in a source, in nanoseconds since 1970; 0: its first lines say none.

    What comes before the first time of a session happened then, as far as anybody knows.
    """
    for one in objects:
        for key in ("timestamp", "startTime", "time"):
            found = parse_time(one.get(key))
            if found:
                return found
    return 0


def fallback_identity(path: Path, form: Format, *, session_id: str = "") -> Identity:
    """Return the identity of a file that does not tell: its name is all there is."""
    return identify(form.harness, form.mapper, form.source, session_id or path.stem)


def _claude(
    path: Path, form: Format, objects: list[Mapping[str, Any]], session_id: str
) -> Identity | None:
    said = [one for one in objects if isinstance(one.get("sessionId"), str)]
    ids = [str(one["sessionId"]) for one in said if not one["sessionId"].startswith(_TRIMMED)]
    child = _child(path, said)
    named = session_id or ("" if child else _uuid_of(path)) or (ids[0] if ids else "")
    if child and path.parent.name == "subagents" and not session_id:
        named = path.parent.parent.name
    if not named:
        return None
    return identify(form.harness, form.mapper, form.source, named, child=child)


def _child(path: Path, said: list[Mapping[str, Any]]) -> str:
    """Return the name of the sub-agent whose transcript it is; empty: of the session itself."""
    is_aside = bool(said) and all(one.get("isSidechain") for one in said)
    named = path.stem.startswith("agent-")
    if not is_aside and not (named and path.parent.name == "subagents"):
        return ""
    found = next((one["agentId"] for one in said if isinstance(one.get("agentId"), str)), "")
    return found or path.stem.removeprefix("agent-")


def _uuid_of(path: Path) -> str:
    return path.stem if _UUID.fullmatch(path.stem) else ""


def _session_name(form: Format, objects: list[Mapping[str, Any]]) -> str:
    keys = {"pi": "id", "openclaw": "id", "gemini-lines": "sessionId"}
    for one in objects:
        if form.name in keys:
            found = one.get(keys[form.name])
            if form.name != "gemini-lines" and one.get("type") != "session":
                continue
        elif form.name == "codex":
            payload = mapping_of(one.get("payload"))
            found = payload.get("id") if one.get("type") == "session_meta" else None
            found = found or (one.get("id") if "payload" not in one else None)
        elif form.name == "codex-stream":
            found = one.get("thread_id")
        elif form.name == "opencode-stream":
            found = one.get("sessionID")
        else:
            found = one.get("conversation_id")
        if isinstance(found, str) and found:
            return found
    return ""


def _parent(form: Format, objects: list[Mapping[str, Any]]) -> str:
    if form.name != "codex":
        return ""
    for one in objects:
        payload = mapping_of(one.get("payload"))
        if one.get("type") == "session_meta":
            spawned = mapping_of(mapping_of(payload.get("source")).get("subagent"))
            thread = mapping_of(spawned.get("thread_spawn")).get("parent_thread_id")
            return str(payload.get("parent_thread_id") or thread or "")
    return ""
