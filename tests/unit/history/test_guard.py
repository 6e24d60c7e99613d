from typing import Any

import pytest

from infrastructure.errors import QueryRefusedError
from infrastructure.history.owner.guard import (
    check_format,
    check_plain_statement,
    check_settings,
    check_tree,
    is_function_open,
    without_settings,
)
from infrastructure.history.owner.guard_lists import MAX_LIMITS


def _select(**members: Any) -> dict[str, Any]:
    query = {"type": "SelectQuery", **members}
    selects = {"type": "ExpressionList", "children": [query]}
    return {"type": "SelectWithUnionQuery", "list_of_selects": selects}


def _call(name: str, *arguments: Any) -> dict[str, Any]:
    listed = {"type": "ExpressionList", "children": list(arguments)}
    return {"type": "Function", "name": name, "arguments": listed}


def _name(*parts: str) -> dict[str, Any]:
    return {"type": "Identifier", "name": ".".join(parts), "name_parts": list(parts)}


@pytest.mark.parametrize(
    "name", ["count", "COUNT", "sumIf", "uniqExactIfMerge", "quantilesState", "lambda", "toDate"]
)
def test_computing_function_is_open(name: str) -> None:
    assert is_function_open(name)


@pytest.mark.parametrize(
    "name", ["file", "File", "fileIf", "dictGet", "sleep", "url", "", "Merge", "countX", "x_If"]
)
def test_other_function_is_closed(name: str) -> None:
    assert not is_function_open(name)


@pytest.mark.parametrize(
    "node",
    [
        {"type": "NodeOfTomorrow"},
        {"type": "SelectWithUnionQuery", "out_file": {"type": "Literal"}},
        _call("file"),
        _call("in", _name("a"), _name("system", "users")),
        _name("system", "users", "name"),
        {"type": "Identifier", "name": "", "children": [{"type": "QueryParameter"}]},
        {"type": "QueryParameter", "param_type": "Identifier"},
        {"type": "TableIdentifier", "name_parts": ["a", "b", "c"]},
        {"type": "TableIdentifier", "name": "x", "children": [{}]},
        {"type": "TableExpression", "table_function": _call("file")},
        {"type": "ColumnsApplyTransformer", "func_name": "file"},
        {"type": "SetQuery", "changes": [], "default_settings": ["readonly"]},
        {"type": "SetQuery", "changes": [{"name": "readonly_x", "value": {"value": 1}}]},
    ],
)
def test_node_is_refused_however_deep_it_lies(node: dict[str, Any]) -> None:
    tree = _select(where=_call("not", {"type": "Subquery", "query": _select(select=[[node]])}))
    with pytest.raises(QueryRefusedError):
        check_tree(tree, "swarm")


def test_bare_name_of_a_closed_function_is_refused() -> None:
    tree = _select(select=_call("arrayMap", _name("file"), _name("names")))
    check_tree(tree, "swarm")
    with pytest.raises(QueryRefusedError):
        check_tree(tree, "swarm", frozenset({"file"}))


def test_statement_that_does_not_read_is_refused() -> None:
    for kind in ("InsertQuery", "CreateQuery", "SystemQuery", "SetQuery", "UseQuery"):
        with pytest.raises(QueryRefusedError):
            check_tree({"type": kind}, "swarm")


def test_tree_nested_beyond_pythons_stack_is_walked() -> None:
    tree: dict[str, Any] = {"type": "Literal"}
    for _ in range(20_000):
        tree = {"type": "Subquery", "query": tree}
    check_tree(_select(select=tree), "swarm")


def test_settings_and_format_of_a_query_are_found() -> None:
    changes = [{"name": "max_threads", "value": {"value": 2}}]
    tree = {
        **_select(settings={"type": "SetQuery", "changes": changes}),
        "format_ast": {"type": "Identifier", "name": "JSON"},
    }
    permitted = check_tree(tree, "swarm")
    assert (permitted.output_format, dict(permitted.settings)) == ("JSON", {"max_threads": "2"})
    assert "SetQuery" not in str(without_settings(tree))


@pytest.mark.parametrize(
    ("asked", "applied"),
    [("1", "1"), ("0", "60"), ("1e9", "60"), ("-5", "60"), ("nan", "60"), ("inf", "60")],
)
def test_limit_can_only_be_lowered(asked: str, applied: str) -> None:
    assert MAX_LIMITS["max_execution_time"] == 60
    assert check_settings({"max_execution_time": asked}) == {"max_execution_time": applied}


def test_unknown_setting_is_refused_and_habits_are_passed_over() -> None:
    assert check_settings({"readonly": "2", "extremes": "1"}) == {"extremes": "1"}
    for name in ("allow_ddl", "additional_result_filter", "log_queries_x", ""):
        with pytest.raises(QueryRefusedError):
            check_settings({name: "1"})
    with pytest.raises(QueryRefusedError):
        check_settings({"max_threads": "many"})


@pytest.mark.parametrize(
    "text", ["DESCRIBE TABLE swarm.events", "DESCRIBE TABLE events FORMAT JSON", "EXISTS TABLE `a`"]
)
def test_plain_statement_on_an_open_table_is_permitted(text: str) -> None:
    check_plain_statement(text, "swarm")


@pytest.mark.parametrize(
    "text",
    [
        "DESCRIBE TABLE system.users",
        "DESCRIBE TABLE file('x')",
        "DESCRIBE TABLE swarm.events INTO OUTFILE 'x'",
        "DESCRIBE TABLE swarm.events FORMAT Template",
        "SHOW CREATE USER x",
        "DROP TABLE swarm.events",
        "DESCRIBE TABLE `a\nb`",
    ],
)
def test_other_plain_statement_is_refused(text: str) -> None:
    with pytest.raises(QueryRefusedError):
        check_plain_statement(text, "swarm")


def test_format_that_reads_a_file_is_refused() -> None:
    for name in ("JSON", "CSVWithNames", "Parquet", ""):
        assert check_format(name) == name
    for name in ("Template", "Protobuf", "CapnProto", "SQLInsert", "Avro", "JSON x"):
        with pytest.raises(QueryRefusedError):
            check_format(name)
