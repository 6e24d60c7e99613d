"""Decides whether a reader may run a query: pure, over the syntax tree that the engine itself made.

Everything is refused that is not named here: kinds of statement and of node, databases and tables,
functions, table functions, formats, settings. So what a newer engine brings is refused until it has
been looked at. The tree comes from ClickHouse's `parseQueryToJSON`, which only reads its argument;
what runs afterwards is the text that the engine makes from the same tree, so that nothing can be in
the query that was not in the tree.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

from infrastructure.errors import QueryRefusedError
from infrastructure.history.owner.guard_lists import (
    EXPLAINS,
    FORBIDDEN_KEYS,
    FORMAT_FAMILIES,
    FREE_SETTINGS,
    IGNORED_SETTINGS,
    INFORMATION_SCHEMA,
    MAX_LIMITS,
    NODES,
    SEPARATE_FORMATS,
    SET_FUNCTIONS,
    STATEMENTS,
    SYNTAX_FUNCTIONS,
    SYSTEM_TABLES,
    TABLE_FUNCTIONS,
)

MAX_QUERY_BYTES = 256 << 10
"""Longer query texts are refused, as ClickHouse does by default."""
MAX_NODES = 50_000

# Statements that the engine does not write as JSON: each is one line of its canonical text.
_NAME = r"(?:\w+|`\w+`)"
_PLAIN_STATEMENTS = re.compile(
    rf"(?P<verb>DESCRIBE TABLE|DESC TABLE|DESCRIBE|SHOW CREATE TABLE|SHOW CREATE|SHOW CREATE VIEW"
    rf"|EXISTS TABLE|EXISTS|EXISTS VIEW)"
    rf" (?:(?P<database>{_NAME})\.)?(?P<table>{_NAME})(?: FORMAT (?P<format>\w+))?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Permitted:
    """What was found in a query that may run."""

    output_format: str = ""
    """Named in the query; empty where it names none."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """From its SETTINGS clauses, cut to the limits."""


def check_tree(
    tree: Mapping[str, Any], default_database: str, closed_functions: frozenset[str] = frozenset()
) -> Permitted:
    """Look at every node of a query.

    Args:
        tree: as the engine's `parseQueryToJSON` writes it.
        default_database: where a table is looked for that names no database.
        closed_functions: lower-case names of the engine's functions that are not open. A bare name
            can be a function to the engine, as in `arrayMap(file, names)`.

    Raises:
        QueryRefusedError: something in it is not named in this module.
    """
    if tree.get("type") not in STATEMENTS:
        raise QueryRefusedError(reason=f"{_label(tree)} is not a reading statement")
    output_format = ""
    changes: dict[str, str] = {}
    for count, node in enumerate(_walk(tree)):
        if count > MAX_NODES:
            raise QueryRefusedError(reason=f"more than {MAX_NODES} parts")
        if "type" in node:
            _check_node(node, default_database)
        if node.get("type") == "Identifier":
            _check_bare_name(node, closed_functions)
        if node.get("type") == "SetQuery":
            changes |= _changes(node)
        if isinstance(node.get("format_ast"), dict):
            output_format = check_format(str(node["format_ast"].get("name", "")))
    return Permitted(output_format=output_format, settings=check_settings(changes))


def without_settings(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tree with its SETTINGS clauses left out."""
    cleaned: dict[str, Any] = json.loads(json.dumps(tree), object_hook=_without_set)
    return cleaned


def _without_set(node: dict[str, Any]) -> dict[str, Any]:
    return {
        key: value
        for key, value in node.items()
        if not (isinstance(value, dict) and value.get("type") == "SetQuery")
    }


def check_plain_statement(text: str, default_database: str) -> Permitted:
    """Look at the canonical text of a statement that has no tree: DESCRIBE, SHOW CREATE, EXISTS.

    Raises:
        QueryRefusedError: it is another statement, or names what readers may not see.
    """
    match = _PLAIN_STATEMENTS.fullmatch(text.strip())
    if match is None:
        raise QueryRefusedError(reason="not a reading statement")
    database = (match["database"] or default_database).strip("`")
    _check_table(database, match["table"].strip("`"))
    return Permitted(output_format=check_format(match["format"] or ""))


def check_database(name: str) -> None:
    """Refuse a default database that readers may not be in.

    Raises:
        QueryRefusedError: it is not one of those named here.
    """
    if name not in {"swarm", "system", "information_schema", "INFORMATION_SCHEMA"}:
        raise QueryRefusedError(reason=f"database {name} is not offered")


def check_format(name: str) -> str:
    """Return `name` if a reader may ask for this output format.

    Raises:
        QueryRefusedError: it reads files, or is unknown here.
    """
    if name and (name in SEPARATE_FORMATS or not FORMAT_FAMILIES.fullmatch(name)):
        raise QueryRefusedError(reason=f"format {name} is not offered")
    return name


def check_settings(asked: Mapping[str, str]) -> dict[str, str]:
    """Return the settings to apply, those with a limit cut to it.

    Raises:
        QueryRefusedError: one of them may not be set by a reader.
    """
    applied = {}
    for name, value in asked.items():
        if name in IGNORED_SETTINGS:
            continue
        if name in MAX_LIMITS:
            applied[name] = _cut(name, value)
        elif name in FREE_SETTINGS:
            applied[name] = value
        else:
            raise QueryRefusedError(reason=f"setting {name} cannot be changed by a reader")
    return applied


def _cut(name: str, value: str) -> str:
    """Return the smaller of value and limit; 0, which means unlimited, becomes the limit."""
    try:
        number = float(value)
    except ValueError:
        raise QueryRefusedError(reason=f"setting {name} needs a number") from None
    limit = MAX_LIMITS[name]
    if not 0 < number <= limit:
        return str(limit)
    return str(max(1, int(number)))


def _walk(tree: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield every object in the tree; without recursion, for depth is the attacker's choice."""
    waiting: list[Any] = [tree]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            yield value
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)


def _check_node(node: Mapping[str, Any], default_database: str) -> None:
    kind = node["type"]
    if kind not in NODES:
        raise QueryRefusedError(reason=f"{_label(node)} is not offered")
    for key, reason in FORBIDDEN_KEYS.items():
        if node.get(key):
            raise QueryRefusedError(reason=reason)
    if check := _CHECKS.get(kind):
        check(node, default_database)


def _check_table_expression(node: Mapping[str, Any], _: str) -> None:
    function = node.get("table_function")
    if isinstance(function, dict) and function.get("name") not in TABLE_FUNCTIONS:
        raise QueryRefusedError(reason=f"table function {function.get('name')} is not offered")


def _check_table_identifier(node: Mapping[str, Any], default_database: str) -> None:
    _check_table(*_table_name(node, default_database))


def _check_apply(node: Mapping[str, Any], _: str) -> None:
    if node.get("func_name"):
        _check_function(str(node["func_name"]))


def _check_parameter(node: Mapping[str, Any], _: str) -> None:
    if "Identifier" in str(node.get("param_type")):
        raise QueryRefusedError(reason="parameters of type Identifier are not offered")


def _check_explain(node: Mapping[str, Any], _: str) -> None:
    if node.get("kind") not in EXPLAINS:
        raise QueryRefusedError(reason=f"{node.get('kind')} is not offered")


def _check_call(node: Mapping[str, Any], default_database: str) -> None:
    name = str(node.get("name", ""))
    if name in TABLE_FUNCTIONS:
        return  # only known to the engine where a table stands; elsewhere it is an unknown function
    _check_function(name)
    if SET_FUNCTIONS.fullmatch(name):
        _check_right_side(node, default_database)


def _check_right_side(node: Mapping[str, Any], default_database: str) -> None:
    """`x IN name` reads a table called `name`, also through the default database."""
    arguments = node.get("arguments") or {}
    for argument in (arguments.get("children") or [])[1:]:
        if isinstance(argument, dict) and argument.get("type") == "Identifier":
            parts = _parts(argument)
            if len(parts) == 1 and default_database != "swarm":
                _check_table(default_database, parts[0])


def _check_identifier(node: Mapping[str, Any], default_database: str) -> None:
    """A dotted name may be a table to the engine, as in `x IN system.users`."""
    if node.get("children"):
        raise QueryRefusedError(reason="parameters of type Identifier are not offered")
    parts = _parts(node)
    if len(parts) >= 2 and parts[0].lower() in {"system", "information_schema"}:
        _check_table(parts[0], parts[1])


def _check_bare_name(node: Mapping[str, Any], closed_functions: frozenset[str]) -> None:
    name = str(node.get("name", ""))
    if name.lower() in closed_functions and not is_function_open(name):
        raise QueryRefusedError(
            reason=f"{name} is a function that is not offered: use another name"
        )


def _parts(node: Mapping[str, Any]) -> list[str]:
    return [str(part) for part in node.get("name_parts") or [node.get("name", "")]]


def _table_name(node: Mapping[str, Any], default_database: str) -> tuple[str, str]:
    if node.get("children"):
        raise QueryRefusedError(reason="parameters of type Identifier are not offered")
    parts = _parts(node)
    if len(parts) > 2:
        raise QueryRefusedError(reason=f"table {'.'.join(parts)} is not offered")
    return (parts[0], parts[1]) if len(parts) == 2 else (default_database, parts[0])


def _check_table(database: str, table: str) -> None:
    if database == "swarm":
        return
    if database == "system" and table in SYSTEM_TABLES:
        return
    if database.lower() == "information_schema" and table.lower() in INFORMATION_SCHEMA:
        return
    raise QueryRefusedError(reason=f"table {database}.{table} is not offered")


def _check_show(node: Mapping[str, Any], _: str) -> None:
    if node.get("where_expression"):
        raise QueryRefusedError(reason="SHOW with WHERE is not offered: select from system.tables")


def _changes(node: Mapping[str, Any]) -> dict[str, str]:
    found = {}
    for change in node.get("changes") or []:
        value = change.get("value") or {}
        found[str(change["name"])] = str(value.get("value", ""))
    if set(node) - {"type", "changes", "is_standalone"}:
        raise QueryRefusedError(reason="this form of SETTINGS is not offered")
    return found


def _check_function(name: str) -> None:
    if not is_function_open(name):
        raise QueryRefusedError(reason=f"function {name} is not offered")


def is_function_open(name: str) -> bool:
    """Return whether a reader may call this function."""
    functions = _open_functions()
    if name in SYNTAX_FUNCTIONS or name in functions.names or name.lower() in functions.any_case:
        return True
    return _is_combined_aggregate(name, functions)


def _is_combined_aggregate(name: str, functions: "_OpenFunctions") -> bool:
    """Aggregate functions take suffixes such as If and State, several one after another."""
    stripped = name
    while match := _COMBINATOR.search(stripped):
        stripped = stripped[: match.start()]
        if stripped in functions.aggregates or stripped.lower() in functions.any_case_aggregates:
            return True
    return False


_COMBINATOR = re.compile(
    r"(If|Array|Map|Distinct|ForEach|Merge|MergeState|Null|OrDefault|OrNull|Resample|SimpleState"
    r"|State|Tuple|ArgMin|ArgMax)$"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _OpenFunctions:
    names: frozenset[str]
    any_case: frozenset[str]
    aggregates: frozenset[str]
    any_case_aggregates: frozenset[str]


@cache
def _open_functions() -> _OpenFunctions:
    file = resources.files("infrastructure.history.owner") / "reader_functions.conf"
    lines = file.read_text(encoding="utf-8").splitlines()
    entries = [line.strip() for line in lines if line and not line.startswith("#")]
    return _OpenFunctions(
        names=frozenset(entry.lstrip("*~") for entry in entries),
        any_case=frozenset(entry.lstrip("*~").lower() for entry in entries if "~" in entry),
        aggregates=frozenset(entry.lstrip("*~") for entry in entries if entry.startswith("*")),
        any_case_aggregates=frozenset(
            entry.lstrip("*~").lower() for entry in entries if entry.startswith("*~")
        ),
    )


_CHECKS: Mapping[str, Callable[[Mapping[str, Any], str], None]] = {
    "ColumnsApplyTransformer": _check_apply,
    "ExplainQuery": _check_explain,
    "Function": _check_call,
    "Identifier": _check_identifier,
    "QueryParameter": _check_parameter,
    "ShowTablesQuery": _check_show,
    "TableExpression": _check_table_expression,
    "TableIdentifier": _check_table_identifier,
}


def _label(node: Mapping[str, Any]) -> str:
    return str(node.get("type", "this"))
