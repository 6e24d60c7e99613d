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


class Neighbourhood:
    """What a repository's files say of each other; each is read once, whoever is asked about."""

    def __init__(self, pyproject: bytes = b"") -> None:
        self._lowest_python = lowest_python(pyproject)
        self._said: list[_Said] = []

    def add(self, path: str, content: bytes) -> None:
        """Read one Python file."""
        self._said.append(_read(path, content))

    def around(self, path: str) -> Surroundings:
        """Return the facts about one file from all others."""
        last = _module_name(path)
        others = [one for one in self._said if one.path != path]
        return Surroundings(
            path=path,
            acting_modules=frozenset(_module_name(one.path) for one in others if one.acts),
            lowest_python=self._lowest_python,
            names_taken=frozenset(
                name for one in others for key in (last, _ANY) for name in one.takes.get(key, ())
            ),
        )


def survey(path: str, others: Mapping[str, bytes]) -> Surroundings:
    """Return the facts about one file from those that were handed over."""
    found = Neighbourhood(others.get("pyproject.toml", b""))
    for other, content in others.items():
        if other.endswith(".py"):
            found.add(other, content)
    return found.around(path)


_ANY = ""
"""Key of names that may be taken from any module."""


@dataclass(frozen=True, slots=True)
class _Said:
    """What one file says of others."""

    path: str
    acts: bool
    """Importing it does something."""
    takes: Mapping[str, set[str]]
    """By the last name of the module that it may take them from: names."""


def _read(path: str, content: bytes) -> _Said:
    tree = _tree(content)
    takes: dict[str, set[str]] = {}
    for module, name in _names_taken(path, tree):
        takes.setdefault(module, set()).add(name)
    return _Said(path, _acts_when_imported(tree), takes)


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


def _names_taken(path: str, tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield the last name of a module and a name that is taken from it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from ((_source(node, path), one.name) for one in node.names)
        elif isinstance(node, ast.Attribute) and (last := _last_name(node.value)):
            yield last, node.attr
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            # `mock.patch("package.module.name")` and its like.
            before, _, name = node.value.rpartition(".")
            if name and (last := before.rpartition(".")[2]):
                yield last, name


def _source(node: ast.ImportFrom, path: str) -> str:
    """Return the last name of what is imported from; too often any is the safe error."""
    if node.module is not None:
        return node.module.rpartition(".")[2]
    return _ANY if node.level > 1 else path.rpartition("/")[0].rpartition("/")[2]


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else ""
