"""The embedded engine: every statement on a handle of its own, so that no setting outlives it.

Calls block; `service` runs them in threads. A handle costs a tenth of a millisecond. Settings of
one handle do not reach another, which is why limits can be set first and `readonly` last, for one
query, with no way back inside it.
"""

import json
import re
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import chdb

from infrastructure.errors import HistoryUnavailableError
from infrastructure.history.owner.outcome import (
    BAD_ARGUMENTS,
    TOO_DEEP,
    EngineError,
    our_error,
    parse_engine_error,
)
from infrastructure.history.owner.scratch import Scratch

_SETTINGS_CLAUSE = re.compile(r"\bSETTINGS\b", re.IGNORECASE)
_NO_TREE = "does not support JSON serialization"
_OUR_QUERY = re.compile(r":? In scope SELECT parseQueryToJSON\(.*(?=\. \()", re.DOTALL)
"""What the engine adds to a syntax error about the query that we asked it with."""
_SETTING_NAME = re.compile(r"[A-Za-z_]\w*")
_connect: Callable[[str], Any] = chdb.connect
"""chDB has no types for its handles."""
_PARSER_SETTINGS = {"max_execution_time": "5", "max_memory_usage": "500000000"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What to run, and under which settings."""

    sql: str | bytes
    output_format: str = "TabSeparated"
    """Used where the text names none."""
    database: str = "swarm"
    parameters: Mapping[str, str] = field(default_factory=dict)
    """As a URL carries them: escaped as in TabSeparated."""
    settings: Mapping[str, str] = field(default_factory=dict)
    readonly: int = 0
    """Set last: 1 refuses every change, of settings too."""
    tag: str = ""
    """By which the running query can be found and stopped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A complete result."""

    body: bytes
    read_rows: int
    read_bytes: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What an insert did."""

    rows: int
    bytes: int
    seconds: float


class Engine:
    """One engine on one directory; the process can have no second one on another."""

    def __init__(self, path: Path) -> None:
        self._path = str(path.resolve())
        self._keeper: Any = None
        self._scratch = Scratch()

    @property
    def path(self) -> str:
        """Directory of the data."""
        return self._path

    def open(self) -> None:
        """Load the tables; keep the engine alive until `close`.

        Raises:
            HistoryUnavailableError: another process holds the data, or it cannot be loaded.
        """
        try:
            self._keeper = _connect(self._path)
        except RuntimeError as error:
            raise HistoryUnavailableError(
                dsn=f"chdb://{self._path}",
                reason=f"another process has it open, or it does not load: {error}",
            ) from error

    def close(self) -> None:
        """Release the engine. Statements under way finish first."""
        if self._keeper is not None:
            self._keeper.close()
            self._keeper = None
        self._scratch.close()

    def run(self, statement: Statement) -> Answer:
        """Run one statement and return its whole result.

        Raises:
            EngineError: the engine refused or gave up.
        """
        with self._handle(statement) as handle, _translated():
            result = handle.query(
                statement.sql, statement.output_format, params=dict(statement.parameters)
            )
            return Answer(
                body=result.bytes() or b"",
                read_rows=result.rows_read(),
                read_bytes=result.bytes_read(),
                seconds=result.elapsed(),
            )

    def stream(self, statement: Statement) -> Generator[bytes, None, None]:
        """Yield the result block by block; closing the iterator ends the query.

        Raises:
            EngineError: the engine refused or gave up, at the first block or later.
        """
        with self._handle(statement) as handle, _translated():
            result = handle.send_query(
                statement.sql, statement.output_format, params=dict(statement.parameters)
            )
            try:
                for block in result:
                    yield block.bytes()
            finally:
                result.cancel()

    def insert(self, statement: Statement, input_format: str, data: memoryview) -> Written:
        """Insert bytes that are in `input_format`; the statement's text ends before FORMAT.

        One at a time: the caller holds the lock.

        Raises:
            EngineError: the engine refused the block; nothing of it was written.
        """
        head = str(statement.sql).rstrip()
        if _SETTINGS_CLAUSE.search(head):  # must stand behind INFILE; rare enough to go in the text
            sql: str | bytes = f"{head} format {input_format}\n".encode() + data
        else:
            sql = f"{head} from infile {_quote(self._scratch.put(data))} format {input_format}"
        answer = self.run(replace(statement, sql=sql))
        return Written(rows=answer.read_rows, bytes=answer.read_bytes, seconds=answer.seconds)

    def parse(self, text: str) -> tuple[dict[str, Any] | None, str]:
        """Return the syntax tree of one statement and its canonical text; executes nothing.

        Statements that the engine cannot write as a tree give None and their text.

        Raises:
            EngineError: it does not parse, or is more than one statement.
        """
        parameters = {"text": escape(text)}
        try:
            found = self._ask(
                "select parseQueryToJSON({text:String}) as tree, formatQueryFromJSON(tree)",
                parameters,
            )
        except EngineError as error:
            if error.code != BAD_ARGUMENTS or _NO_TREE not in error.text:
                raise EngineError(error.code, _OUR_QUERY.sub("", error.text)) from error
            return None, self._ask("select formatQuerySingleLine({text:String})", parameters)[0]
        try:
            tree: dict[str, Any] = json.loads(found[0], object_pairs_hook=_unique)
        except RecursionError as error:
            raise our_error(TOO_DEEP, "The query is nested too deeply") from error
        return tree, found[1]

    def format_tree(self, tree: Mapping[str, Any]) -> str:
        """Return the text of a syntax tree."""
        return self._ask(
            "select formatQueryFromJSON({tree:String})", {"tree": escape(json.dumps(tree))}
        )[0]

    def function_names(self) -> list[str]:
        """Return the names of all functions that this engine has."""
        statement = Statement(
            sql="select name from system.functions",
            output_format="JSONCompactEachRow",
            database="system",
        )
        return [str(json.loads(line)[0]) for line in self.run(statement).body.splitlines()]

    def stop(self, tag: str) -> None:
        """Ask the engine to end the queries with this tag; returns before they have ended."""
        self.run(
            Statement(
                sql="kill query where Settings['log_comment'] = {tag:String} async",
                database="system",
                parameters={"tag": escape(tag)},
            )
        )

    def _ask(self, sql: str, parameters: Mapping[str, str]) -> list[str]:
        answer = self.run(
            Statement(
                sql=sql,
                output_format="JSONCompactEachRow",
                database="system",
                parameters=parameters,
                settings=_PARSER_SETTINGS,
                readonly=1,
            )
        )
        row: list[str] = json.loads(answer.body)
        return row

    @contextmanager
    def _handle(self, statement: Statement) -> Iterator[Any]:
        """Give a fresh handle with the statement's settings applied."""
        handle = _connect(self._path)
        try:
            with _translated():
                for command in _preparation(statement):
                    handle.query(command, "Null")
            yield handle
        finally:
            handle.close()


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a name that comes twice: the guard and the engine could each read another one."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise our_error(BAD_ARGUMENTS, "The syntax tree of this query is ambiguous")
    return found


def _preparation(statement: Statement) -> list[str]:
    """Return what is run on a fresh handle before the statement, `readonly` last."""
    settings = dict(statement.settings)
    if statement.tag:
        settings["log_comment"] = statement.tag
    commands = []
    if settings:
        commands.append(
            "set " + ", ".join(f"{_name(k)} = {_quote(v)}" for k, v in settings.items())
        )
    commands.append(f"use {_identifier(statement.database)}")
    if statement.readonly:
        commands.append(f"set readonly = {statement.readonly}")
    return commands


def _name(setting: str) -> str:
    if not _SETTING_NAME.fullmatch(setting):
        raise EngineError(115, f"Unknown setting {setting!r}. (UNKNOWN_SETTING)")
    return setting


def _quote(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _identifier(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace("`", "\\`")
    return f"`{escaped}`"


def escape(text: str) -> str:
    """Return `text` as the value of a query parameter: escaped as in TabSeparated."""
    for raw, escaped in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r")):
        text = text.replace(raw, escaped)
    return text.replace("\0", "\\0").replace("\b", "\\b").replace("\f", "\\f")


@contextmanager
def _translated() -> Iterator[None]:
    """Turn what chDB raises, which has no class of its own for errors of the engine, into ours."""
    try:
        yield
    except (RuntimeError, chdb.ChdbError) as error:
        raise parse_engine_error(str(error)) from error
