"""Sources that are read as a whole: JSON documents, Markdown, databases, folders.

Each holds one session or several. All lines of a file are kept; what its records say is read from
the document, not from the lines.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from infrastructure.intake.sessions.errors import SourceError
from infrastructure.intake.sessions.formats.miniswe import records_of_messages
from infrastructure.intake.sessions.formats.opencode import records_of_export
from infrastructure.intake.sessions.formats.registry import Format
from infrastructure.intake.sessions.formats.sweagent import records_of_trajectory
from infrastructure.intake.sessions.identity import Identity, identify
from infrastructure.intake.sessions.reader import list_of, mapping_of
from infrastructure.intake.sessions.splitting import Line, LineSplitter
from infrastructure.intake.sessions.tables import open_tables, row_values, table_names
from infrastructure.intake.sessions.units import Cleaner, Unit

READ_BYTES = 1024 * 1024
_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]+")
_CHAT_STARTED = "# aider chat started at "
_HERMES_FLAGS = frozenset({"active", "compacted", "observed"})
"""Columns of a message that change after it was written."""
_HERMES_LASTING = ("id", "source", "parent_session_id", "model", "started_at", "cwd", "title")
Units = Callable[[Cleaner], Iterator[Unit]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One session in a source that is read as a whole."""

    path: Path
    format: Format
    identity: Identity
    units: Units
    late_objects: list[Mapping[str, Any]] = field(default_factory=list)
    """What is said of the whole session by now."""


def read_document(path: Path, form: Format, *, session_id: str = "") -> list[Document]:
    """Return the sessions in a source.

    Args:
        path: The file, database or folder.
        form: Its format.
        session_id: The session's name, where the source itself does not tell.

    Raises:
        SourceError: it cannot be read.
    """
    match form.name:
        case "hermes":
            return _hermes_sessions(path, form)
        case "opencode-database":
            return _opencode_sessions(path, form)
        case "opencode":
            return _opencode_folder(path, form)
        case "aider":
            return [_aider(path, form, session_id)]
    document = load_json(path)
    records, found_id = _records_of(form, document, path)
    parent = _parent_of(form, document)
    return [_document(path, form, session_id or found_id, records, parent)]


def load_json(path: Path) -> Any:
    """Return what is in a JSON file.

    Raises:
        SourceError: it is none.
    """
    try:
        return json.loads(path.read_bytes().decode("utf-8", "replace"))
    except (ValueError, RecursionError) as error:
        raise SourceError(path=str(path), reason=f"no JSON document: {error}") from error
    except OSError as error:
        raise SourceError(path=str(path), reason=error.strerror or str(error)) from error


def read_lines(path: Path) -> Iterator[Line]:
    """Yield all lines of a file.

    Raises:
        SourceError: it cannot be read.
    """
    splitter = LineSplitter()
    try:
        with path.open("rb") as file:
            while data := file.read(READ_BYTES):
                yield from splitter.feed(data)
    except OSError as error:
        raise SourceError(path=str(path), reason=error.strerror or str(error)) from error
    rest = splitter.rest()
    if rest is not None:
        yield rest


def _document(
    path: Path, form: Format, session_id: str, records: list[dict[str, Any]], parent: str = ""
) -> Document:
    def units(cleaner: Cleaner) -> Iterator[Unit]:
        for line in read_lines(path):
            yield cleaner.line(line, is_parsed=False)
        for number, record in enumerate(records, 1):
            yield cleaner.record(record, number)

    return Document(
        path=path,
        format=form,
        identity=identify(
            form.harness, form.mapper, form.source, session_id, parent_session=parent
        ),
        units=units,
    )


def _records_of(form: Format, document: Any, path: Path) -> tuple[list[dict[str, Any]], str]:
    """Return the records of a document, and what it calls the session."""
    named = mapping_of(document)
    match form.name:
        case "swe-agent":
            return records_of_trajectory(named), _made_name(path, named.get("history"))
        case "mini-swe-agent":
            return records_of_messages(document), _made_name(path, named.get("messages", document))
        case "opencode-export":
            info = mapping_of(named.get("info"))
            return records_of_export(named), str(info.get("id") or path.stem)
        case "openhands-messages":
            found = [one for one in list_of(document) if isinstance(one, dict)]
            return found, _made_name(path, found)
        case "hermes-export":
            head = {key: one for key, one in named.items() if key not in {"messages", "tools"}}
            return [head, *_dicts(named.get("messages"))], str(named.get("session_id"))
    messages = document if isinstance(document, list) else named.get("messages")
    if messages is None:
        messages = named.get("history")
    head = {
        key: one
        for key, one in named.items()
        if key not in {"messages", "lastUpdated"} and not isinstance(one, list)
    }
    head.setdefault("projectHash", "")
    session = str(named.get("sessionId") or "") or _made_name(path, messages)
    return [head, *_dicts(messages)], session


def _parent_of(form: Format, document: Any) -> str:
    if form.name == "opencode-export":
        return str(mapping_of(mapping_of(document).get("info")).get("parentID") or "")
    return ""


def _dicts(value: object) -> list[dict[str, Any]]:
    return [one for one in list_of(value) if isinstance(one, dict)]


def _made_name(path: Path, messages: object) -> str:
    """Return a name for a session that has none: the file's, and what the session began with."""
    begun = json.dumps(list_of(messages)[:2], sort_keys=True, default=str)
    stem = _UNSAFE.sub("-", path.name.partition(".")[0]) or "session"
    return f"{stem}-{sha256(begun.encode()).hexdigest()[:8]}"


def _aider(path: Path, form: Format, session_id: str) -> Document:
    first = next((one.content for one in read_lines(path) if one.content.strip()), b"")
    begun = first.decode("utf-8", "replace").removeprefix(_CHAT_STARTED).strip()
    name = f"aider-{_UNSAFE.sub('-', begun)[:40]}"

    def units(cleaner: Cleaner) -> Iterator[Unit]:
        for line in read_lines(path):
            yield cleaner.line(line)
        yield cleaner.record({"is_end": True}, 1)

    return Document(
        path=path,
        format=form,
        identity=identify(form.harness, form.mapper, form.source, session_id or name),
        units=units,
    )


# --- Hermes


def _hermes_sessions(path: Path, form: Format) -> list[Document]:
    with open_tables(path) as tables:
        if "messages" not in table_names(tables):
            raise SourceError(path=str(path), reason="no database of Hermes: no table messages")
        rows = [row_values(row) for row in tables.execute("select * from messages order by id")]
        sessions = (
            [row_values(row) for row in tables.execute("select * from sessions")]
            if "sessions" in table_names(tables)
            else []
        )
    by_session: dict[str, list[Mapping[str, Any]]] = {str(one["id"]): [] for one in sessions}
    for row in rows:
        by_session.setdefault(str(row.get("session_id")), []).append(row)
    known = {str(one["id"]): one for one in sessions}
    return [
        _hermes_session(path, form, session, known.get(session, {}), found)
        for session, found in by_session.items()
    ]


def _hermes_session(
    path: Path,
    form: Format,
    session_id: str,
    session: Mapping[str, Any],
    rows: list[Mapping[str, Any]],
) -> Document:
    def units(cleaner: Cleaner) -> Iterator[Unit]:
        head = {name: session[name] for name in _HERMES_LASTING if name in session}
        if head:
            yield cleaner.record(head, 1)
        yield from _row_units(rows, cleaner, left_out=_HERMES_FLAGS)

    return Document(
        path=path,
        format=form,
        identity=identify(
            form.harness,
            form.mapper,
            form.source,
            session_id,
            parent_session=str(session.get("parent_session_id") or ""),
        ),
        units=units,
        late_objects=[session] if session else [],
    )


def _row_units(
    rows: Iterable[Mapping[str, Any]], cleaner: Cleaner, *, left_out: frozenset[str]
) -> Iterator[Unit]:
    for number, row in enumerate(rows, 1):
        lasting = {name: one for name, one in row.items() if name not in left_out}
        text = json.dumps(lasting, ensure_ascii=False, separators=(",", ":"))
        identifier = row.get("id")
        yield cleaner.line(
            Line(
                number=identifier if isinstance(identifier, int) else number,
                offset=0,
                content=text.encode("utf-8", "surrogatepass"),
            )
        )


# --- OpenCode


def _opencode_sessions(path: Path, form: Format) -> list[Document]:
    with open_tables(path) as tables:
        found = {
            table: [
                row_values(row) for row in tables.execute(f"select * from {table} order by id")
            ]  # a name of ours
            for table in ("session", "message", "part")
            if table in table_names(tables)
        }
    messages = [_with_data(row) for row in found.get("message", [])]
    parts = [_with_data(row) for row in found.get("part", [])]
    sessions = {str(row["id"]): row for row in found.get("session", [])}
    return _opencode_documents(path, form, sessions, messages, parts)


def _with_data(row: Mapping[str, Any]) -> dict[str, Any]:
    data: dict[str, Any] = {}
    with suppress(ValueError, TypeError):
        data = dict(json.loads(row["data"]))
    ids = {"id": row.get("id"), "sessionID": row.get("session_id")}
    if row.get("message_id"):
        ids["messageID"] = row["message_id"]
    return {**ids, **data}


def _opencode_folder(path: Path, form: Format) -> list[Document]:
    root = path if (path / "message").is_dir() else path / "storage"
    sessions: dict[str, Mapping[str, Any]] = {}
    for file in sorted((root / "session").rglob("*.json")):
        found = mapping_of(load_json(file))
        sessions[str(found.get("id") or file.stem)] = found
    messages = []
    for file in sorted((root / "message").rglob("*.json")):
        found = mapping_of(load_json(file))
        messages.append({"sessionID": file.parent.name, **found})
    parts = []
    for file in sorted((root / "part").rglob("*.json")):
        found = mapping_of(load_json(file))
        parts.append({"messageID": found.get("messageId") or file.parent.name, **found})
    return _opencode_documents(path, form, sessions, messages, parts)


def _opencode_documents(
    path: Path,
    form: Format,
    sessions: Mapping[str, Mapping[str, Any]],
    messages: list[dict[str, Any]],
    parts: list[dict[str, Any]],
) -> list[Document]:
    home = {str(one.get("id")): str(one.get("sessionID")) for one in messages}
    by_message: dict[str, list[dict[str, Any]]] = {}
    strays: dict[str, list[dict[str, Any]]] = {}
    for part in parts:
        message = str(part.get("messageID"))
        if message in home:
            by_message.setdefault(message, []).append(part)
        else:
            strays.setdefault(str(part.get("sessionID") or "unknown"), []).append(part)
    names = dict.fromkeys([*sessions, *home.values(), *strays])
    return [
        _opencode_document(
            path,
            form,
            name,
            mapping_of(sessions.get(name)),
            [one for one in messages if home[str(one.get("id"))] == name],
            by_message,
            strays.get(name, []),
        )
        for name in names
    ]


def _opencode_document(
    path: Path,
    form: Format,
    session_id: str,
    session: Mapping[str, Any],
    messages: list[dict[str, Any]],
    parts: Mapping[str, list[dict[str, Any]]],
    strays: list[dict[str, Any]],
) -> Document:
    def rows() -> Iterator[dict[str, Any]]:
        if session:
            data = {**session, "parentID": session.get("parentID", session.get("parent_id"))}
            yield {"swarm_record": "session", "data": data}
        for message in messages:
            message_id = str(message.get("id"))
            yield {"swarm_record": "message", "data": message}
            for part in parts.get(message_id, []):
                yield _part_row(part, message_id, message.get("role"))
        for part in strays:
            yield _part_row(part, str(part.get("messageID")), None)

    def units(cleaner: Cleaner) -> Iterator[Unit]:
        for number, row in enumerate(rows(), 1):
            text = json.dumps(row, ensure_ascii=False, separators=(",", ":"))
            content = text.encode("utf-8", "surrogatepass")
            yield cleaner.line(Line(number=number, offset=0, content=content))

    parent = session.get("parentID") or session.get("parent_id") or ""
    return Document(
        path=path,
        format=form,
        identity=identify(
            form.harness, form.mapper, form.source, session_id, parent_session=str(parent)
        ),
        units=units,
    )


def _part_row(part: dict[str, Any], message_id: str, role: object) -> dict[str, Any]:
    return {"swarm_record": "part", "data": part, "message": message_id, "role": role}
