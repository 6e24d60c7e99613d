"""What may run for whom, and under which limits: made before anything runs."""

import re
from dataclasses import dataclass
from functools import lru_cache
from uuid import uuid4

from infrastructure.errors import QueryRefusedError
from infrastructure.history.owner import guard
from infrastructure.history.owner.engine import Engine, Statement
from infrastructure.history.owner.guard_lists import MAX_LIMITS
from infrastructure.history.owner.outcome import (
    ACCESS_DENIED,
    BAD_ARGUMENTS,
    SYNTAX_ERROR,
    our_error,
)
from infrastructure.history.owner.request import Call

GRACE_SECONDS = 5.0
"""How long a query may take to notice its limit, before the client is answered without it."""
WRITER_SETTINGS = {"async_insert": "0", "session_timezone": "UTC"}
_READER_SETTINGS = {
    **{name: str(limit) for name, limit in MAX_LIMITS.items()},
    "max_threads": "0",
    "max_block_size": "65409",
    "max_ast_elements": "50000",
    "max_expanded_ast_elements": "500000",
    "max_temporary_columns": "10000",
    "max_subquery_depth": "100",
    "timeout_overflow_mode": "throw",
    "timeout_before_checking_execution_speed": "0",
    "max_bytes_before_external_group_by": "0",
    "max_bytes_before_external_sort": "0",
    "max_bytes_ratio_before_external_group_by": "0",
    "max_bytes_ratio_before_external_sort": "0",
    "session_timezone": "UTC",
    "allow_introspection_functions": "0",
    "allow_ddl": "0",
}
_REMEMBERED_TEXTS = 256
_REMEMBERED_BYTES = 16 << 10
"""Longer texts are looked at each time, so that what is remembered stays below a few megabytes."""
_TRAILING_FORMAT = re.compile(rb"\bFORMAT\s+(\w+)\s*;?\s*$", re.IGNORECASE)
_READS = re.compile(rb"[\s(]*(SELECT|WITH)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A statement that may run, and what its answer looks like."""

    statement: Statement
    output_format: str
    limit_seconds: float | None
    is_select: bool
    """Only results of SELECT come block by block."""


class Planner:
    """Makes plans; those of readers need the engine's parser and block for a millisecond."""

    def __init__(self, engine: Engine, closed_functions: frozenset[str]) -> None:
        self._engine = engine
        self._closed_functions = closed_functions
        self._known = lru_cache(_REMEMBERED_TEXTS)(self._look_at)

    def writer_plan(self, call: Call) -> Plan:
        """Return the plan of a writer's statement: anything, without limits."""
        found = _TRAILING_FORMAT.search(call.query)
        output_format = found[1].decode() if found else call.default_format
        return Plan(
            statement=Statement(
                sql=_text(call.query),
                output_format=output_format,
                database=call.database,
                parameters=call.parameters,
                settings={**WRITER_SETTINGS, **call.settings},
                readonly=2 if call.is_get else 0,
                tag=_tag(),
            ),
            output_format=output_format,
            limit_seconds=None,
            is_select=bool(_READS.match(call.query)),
        )

    def reader_plan(self, call: Call) -> Plan:
        """Return the plan of a reader's statement.

        Raises:
            EngineError: it does not parse, or is not for readers.
        """
        text = _text(call.query)
        if len(call.query) > guard.MAX_QUERY_BYTES:
            raise our_error(SYNTAX_ERROR, f"Max query size exceeded: {len(call.query)} bytes")
        database = "swarm" if call.database == "default" else call.database
        try:
            guard.check_database(database)
            asked = guard.check_settings(call.settings)
            guard.check_format(call.default_format)
            sql, permitted = self._check(text, database)
        except QueryRefusedError as error:
            raise our_error(ACCESS_DENIED, str(error)) from error
        settings = {**_READER_SETTINGS, **asked, **permitted.settings}
        output_format = permitted.output_format or call.default_format
        return Plan(
            statement=Statement(
                sql=sql,
                output_format=output_format,
                database=database,
                parameters=call.parameters,
                settings=settings,
                readonly=1,
                tag=_tag(),
            ),
            output_format=output_format,
            limit_seconds=float(settings["max_execution_time"]) + GRACE_SECONDS,
            is_select=bool(_READS.match(sql.encode())),
        )

    def _check(self, text: str, database: str) -> tuple[str, guard.Permitted]:
        """Return the text that may run and what was found in it.

        Nothing but text and database decides that, and parsing takes as long as many a query:
        programs that ask the same with other parameters are answered from memory.
        """
        look = self._known if len(text) <= _REMEMBERED_BYTES else self._look_at
        return look(text, database)

    def _look_at(self, text: str, database: str) -> tuple[str, guard.Permitted]:
        tree, canonical = self._engine.parse(text)
        if tree is None:
            return canonical, guard.check_plain_statement(canonical, database)
        permitted = guard.check_tree(tree, database, self._closed_functions)
        if permitted.settings:
            # They go onto the handle, cut to the limits; `readonly` would refuse them in the text.
            canonical = self._engine.format_tree(guard.without_settings(tree))
        return canonical, permitted


def _tag() -> str:
    return f"swarm-{uuid4().hex}"


def _text(query: bytes) -> str:
    try:
        return query.decode()
    except UnicodeDecodeError:
        raise our_error(BAD_ARGUMENTS, "The query is not UTF-8") from None
