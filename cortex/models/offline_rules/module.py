"""A parsed module with the places of its nodes and tokens in the text."""

import ast
import io
import re
import tokenize
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from cortex.models.offline_rules.source import UnreadableSourceError

_LINE = re.compile(r"[^\n]*\n|[^\n]+\Z")
_Node = TypeVar("_Node", bound=ast.AST)
Function = ast.FunctionDef | ast.AsyncFunctionDef
_QUIET = {tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.COMMENT}


@dataclass(frozen=True, slots=True)
class Token:
    """One token, by character offsets."""

    kind: int
    text: str
    start: int
    end: int


class Module:
    """The tree of a text, and where in the text its nodes are.

    Raises:
        UnreadableSourceError: the text does not parse.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.tree = parse_text(text)

    @cached_property
    def newline(self) -> str:
        """The line end that most lines have."""
        windows = self.text.count("\r\n")
        return "\r\n" if windows * 2 > self.text.count("\n") else "\n"

    @cached_property
    def lines(self) -> list[str]:
        """The lines with their ends."""
        return _LINE.findall(self.text)

    @cached_property
    def _line_starts(self) -> list[int]:
        starts = [0]
        for line in self.lines:
            starts.append(starts[-1] + len(line))
        return starts

    def offset(self, row: int, column: int) -> int:
        """Character offset of a line (from 1) and a character in it (from 0)."""
        return self._line_starts[row - 1] + column

    def _byte_offset(self, row: int, column: int) -> int:
        """As `offset`, for `ast`, which counts columns in bytes of UTF-8."""
        if row > len(self.lines):
            return len(self.text)
        line = self.lines[row - 1]
        if not line.isascii():
            column = len(line.encode()[:column].decode())
        return self._line_starts[row - 1] + column

    def start(self, node: ast.AST) -> int:
        """Offset of the node's first character."""
        return self._byte_offset(node.lineno, node.col_offset)  # type: ignore[attr-defined]

    def end(self, node: ast.AST) -> int:
        """Offset after the node's last character."""
        return self._byte_offset(node.end_lineno, node.end_col_offset)  # type: ignore[attr-defined]

    def source_of(self, node: ast.AST) -> str:
        """The node as it is written."""
        return self.text[self.start(node) : self.end(node)]

    @cached_property
    def tokens(self) -> list[Token]:
        """All tokens in order."""
        rows = io.StringIO(self.text, newline="").readline
        return [
            Token(one.type, one.string, self._token_offset(one.start), self._token_offset(one.end))
            for one in tokenize.generate_tokens(rows)
        ]

    def _token_offset(self, position: tuple[int, int]) -> int:
        row, column = position
        return len(self.text) if row > len(self.lines) else self.offset(row, column)

    def code_tokens(self, start: int, end: int) -> list[Token]:
        """The tokens within these offsets, without comments and line ends."""
        return [
            one
            for one in self.tokens
            if start <= one.start and one.end <= end and one.kind not in _QUIET and one.text
        ]

    def comments(self) -> list[str]:
        """The text of every comment, in order."""
        return [one.text for one in self.tokens if one.kind == tokenize.COMMENT]

    @cached_property
    def _parents(self) -> dict[ast.AST, ast.AST]:
        return {child: node for node in self._all_nodes for child in ast.iter_child_nodes(node)}

    def parent(self, node: ast.AST) -> ast.AST | None:
        """The node that this one stands in; None for the module."""
        return self._parents.get(node)

    def ancestors(self, node: ast.AST) -> Iterator[ast.AST]:
        """The nodes around this one, from the nearest."""
        above = self.parent(node)
        while above is not None:
            yield above
            above = self.parent(above)

    def function_of(self, node: ast.AST) -> Function | None:
        """The function whose body the node stands in."""
        for above in self.ancestors(node):
            if isinstance(above, ast.FunctionDef | ast.AsyncFunctionDef):
                return above
        return None

    def is_in_format_string(self, node: ast.AST) -> bool:
        """Whether it stands in an f-string, where older Pythons misplace nodes."""
        return any(isinstance(above, ast.JoinedStr) for above in self.ancestors(node))

    @cached_property
    def _all_nodes(self) -> list[ast.AST]:
        return list(ast.walk(self.tree))

    def nodes(self, kind: type[_Node]) -> Iterator[_Node]:
        """Every node of one kind."""
        return (node for node in self._all_nodes if isinstance(node, kind))

    def functions(self) -> Iterator[Function]:
        """Every function and method."""
        yield from self.nodes(ast.FunctionDef)
        yield from self.nodes(ast.AsyncFunctionDef)

    def innermost(self, nodes: Iterable[_Node], offset: int) -> _Node | None:
        """The smallest of the nodes that spans an offset."""
        around = [one for one in nodes if self.start(one) <= offset < self.end(one)]
        return min(around, key=lambda one: self.end(one) - self.start(one), default=None)

    def block_of(self, statement: ast.stmt) -> list[ast.stmt]:
        """The list of statements that it is one of."""
        for above in self.ancestors(statement):
            for _, value in ast.iter_fields(above):
                if isinstance(value, list) and statement in value:
                    return value
        return [statement]

    def stands_alone(self, statement: ast.stmt) -> bool:
        """Whether its lines hold nothing else but white space and a comment."""
        start, end = self.start(statement), self.end(statement)
        before = self.text[self.text.rfind("\n", 0, start) + 1 : start]
        after = self.text[end : self.line_end(end)].strip()
        return not before.strip() and (not after or after.startswith("#"))

    def line_end(self, offset: int) -> int:
        """Offset of the end of the line that an offset is in, before its line end characters."""
        end = self.text.find("\n", offset)
        end = len(self.text) if end < 0 else end
        return end - 1 if end and self.text[end - 1] == "\r" and end > offset else end


def parse_text(text: str) -> ast.Module:
    """The tree of a text.

    Raises:
        UnreadableSourceError: it does not parse.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on what the source says, not on what is done here
            return ast.parse(text)
    except SyntaxError as error:
        raise UnreadableSourceError(
            reason=f"line {error.lineno} does not parse: {error.msg}"
        ) from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise UnreadableSourceError(
            reason=f"it does not parse ({type(error).__name__}: it is too deep or too large)"
        ) from error
