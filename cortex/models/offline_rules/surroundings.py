"""What a rewrite may know of the repository around a file."""

import ast
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cortex.models.offline_rules.module import parse_text
from cortex.models.offline_rules.source import UnreadableSourceError, parse_source

UNION_SYNTAX = (3, 10)
"""The first Python that takes `int | None` in annotations that are evaluated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Facts from outside the file; the defaults mean: nothing is known."""

    path: str = ""
    """The file's own path."""
    lowest_python: tuple[int, int] = UNION_SYNTAX
    """The oldest Python that the project says it runs on."""
    names_taken: frozenset[str] = frozenset()
    """Names that other files import from this one, or read as its attributes."""
    acting_modules: frozenset[str] = frozenset()
    """Names (without packages) of the repository's modules that do something when imported."""


def survey(path: str, others: Mapping[str, bytes]) -> Surroundings:
    """Gather the facts about a file from the other files that were handed over."""
    names: set[str] = set()
    acting: set[str] = set()
    for other, content in others.items():
        if other != path and other.endswith(".py"):
            tree = _tree(content)
            names.update(_names_taken_by(other, tree, path))
            acting.update({_module_name(other)} if _acts_when_imported(tree) else ())
    return Surroundings(
        path=path,
        acting_modules=frozenset(acting),
        lowest_python=lowest_python(others.get("pyproject.toml", b"")),
        names_taken=frozenset(names),
    )


def lowest_python(pyproject: bytes) -> tuple[int, int]:
    """The lowest Python of `requires-python`, as (major, minor); 3.10 where it says nothing."""
    try:
        project = tomllib.loads(pyproject.decode()).get("project", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return UNION_SYNTAX
    required = project.get("requires-python", "") if isinstance(project, dict) else ""
    found = re.search(r"(?:>=|~=|==)\s*(\d+)\.(\d+)", str(required))
    return (int(found[1]), int(found[2])) if found else UNION_SYNTAX


def _tree(content: bytes) -> ast.Module:
    try:
        return parse_text(parse_source(content).text)
    except UnreadableSourceError:
        return ast.Module(body=[], type_ignores=[])


def _module_name(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").rpartition("/")[2]


def _acts_when_imported(tree: ast.Module) -> bool:
    """Whether the import calls functions for their effect, or hands definitions to decorators."""
    return any(
        (isinstance(one, ast.Expr) and isinstance(one.value, ast.Call))
        or (isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef) and bool(one.decorator_list))
        or isinstance(one, ast.For | ast.With)
        for one in tree.body
    )


def _names_taken_by(other: str, tree: ast.Module, path: str) -> Iterator[str]:
    last = _module_name(path)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and _may_be(node, other, last):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.Attribute) and _last_name(node.value) == last:
            yield node.attr
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            # `mock.patch("package.module.name")` and its like.
            before, _, name = node.value.rpartition(".")
            if name and before.rpartition(".")[2] == last:
                yield name


def _may_be(node: ast.ImportFrom, other: str, last: str) -> bool:
    """Whether `from X import` may mean a module of this name; too often yes is the safe error."""
    if node.module is None:
        return other.rpartition("/")[0].rpartition("/")[2] == last or node.level > 1
    return node.module.rpartition(".")[2] == last


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else ""
