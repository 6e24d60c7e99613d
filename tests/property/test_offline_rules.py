"""What holds for every rewrite of the offline model, on programs that nobody wrote by hand."""
# ruff: noqa: E501 - one function a line

import ast
import contextlib
import io
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cortex.models.offline_rules.module import Module
from cortex.models.offline_rules.rewriting import REWRITES, rewrite_rule
from cortex.models.offline_rules.source import parse_source
from cortex.models.offline_rules.surroundings import Surroundings
from tests.support.rewriting import ruff_findings

CALLS = ["()", "(None)", "(1)", "(True)", "([])", "('x')", "(1, 2)"]
FUNCTIONS = [
    "def NAME(x=None):@    if x == None:@        return 'none'@    return x != None@",
    "def NAME(x=None):@    return 1 if None == x and x!=(None) else 2@",
    "def NAME(x=0):@    ok = isinstance(x, int)@    if ok == True:@        return 'int'@    return ok != False@",
    "def NAME(x=1, y=True):@    return x == True, y != False@",
    "def NAME(x='1'):@    try:@        return int(x)@    except:@        return 'bad'@",
    "def NAME(x='1'):@    try:@        return int(x)@    except:@        print('undo')@        raise@",
    "def NAME(x=1, items=[]):@    return x, len(items)@",
    'def NAME(x=1, *, table: dict[str, int]={}):@    """Doc."""@    return x, sorted(table)@',
    "def NAME(x=1):@    value = print('effect', x)@    return x@",
    "def NAME(x=1):@    value = 'lost'@    other = x@    return x@",
    "def NAME(x=1):@    value: int = len(str(x))@    return x@",
    "def NAME(x='1'):@    try:@        return int(x)@    except (ValueError, TypeError) as error:@        return 'bad'@",
    "def NAME(x=1):@    import os, sys as system@    from json import dumps, loads@    return dumps(x)@",
    "def NAME(x=1):@    import math@    from json import (@        dumps,@        loads,@    )@    return str(x)@",
    "def NAME(x=1):@    with open(PATH) as file:@        return x, file.read()@",
    "def NAME(x=1):@    with open(@        PATH,@        'r',@    ) as file:@        pass@    return x@",
    "def NAME(x=1):@    return '== None', \"except:\", x@",
]  # fmt: skip
COMMENTS = st.sampled_from(["", "", "", "  # why", "  # é == None", "  # import os"])
RULES = tuple(REWRITES)


@st.composite
def programs(draw: st.DrawFn) -> str:
    """Functions of the table, with comments at random line ends, in one style of lines."""
    chosen = draw(st.lists(st.sampled_from(FUNCTIONS), min_size=1, max_size=4))
    text = "".join(one.replace("NAME", f"f{place}") + "@@" for place, one in enumerate(chosen))
    lines = [line + (draw(COMMENTS) if line else "") for line in text.split("@")]
    indent = draw(st.sampled_from(["    ", "  ", "\t"]))
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    written = newline.join(line.replace("    ", indent) for line in lines)
    return written if draw(st.booleans()) else written.rstrip()


def rewritten(text: str) -> str:
    """The text after all rules, with findings from ruff for each."""
    return rewritten_by(text, RULES)


def rewritten_by(text: str, rules: Sequence[str]) -> str:
    findings = ruff_findings(text, *rules)
    for rule in rules:
        found = [one for one in findings if one.rule == rule]
        after = rewrite_rule(text, rule, found, Surroundings()).text if found else text
        if after != text:
            text, findings = after, ruff_findings(after, *rules)
    return text


@pytest.fixture(scope="module")
def read_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("read") / "text"
    path.write_text("content", encoding="utf-8")
    return path


def behaviour(text: str, path: Path) -> list[str]:
    """What each function returns, raises and prints for some arguments."""
    names: dict[str, object] = {"PATH": str(path)}
    exec(compile(text, "program", "exec"), names)
    seen = []
    for name in sorted(one for one in names if one.startswith("f")):
        for call in CALLS:
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                try:
                    result = repr(eval(f"{name}{call}", names))
                except Exception as error:
                    result = repr(error)
            seen.append(f"{name}{call}: {result} {printed.getvalue()!r}")
    return seen


@settings(max_examples=30)
@given(text=programs())
def test_rewritten_program_does_the_same(read_path: Path, text: str) -> None:
    assert behaviour(rewritten(text), read_path) == behaviour(text, read_path)


@settings(max_examples=30)
@given(text=programs())
def test_comments_and_line_ends_survive(text: str) -> None:
    after = rewritten(text)
    assert Counter(Module(after).comments()) == Counter(Module(text).comments())
    assert after.count("\r\n") in (0, after.count("\n"))
    assert after.endswith("\n") == text.endswith("\n")


@settings(max_examples=20)
@given(text=programs())
def test_rewriting_twice_changes_no_more(text: str) -> None:
    once = rewritten(text)
    assert rewritten(once) == once


class Neutral(ast.NodeTransformer):
    """Takes the changes that are meant out of a tree."""

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        kinds: dict[type[ast.cmpop], ast.cmpop] = {ast.Is: ast.Eq(), ast.IsNot: ast.NotEq()}
        node.ops = [kinds.get(type(one), one) for one in node.ops]
        return node

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.type, ast.Name) and node.type.id in ("Exception", "BaseException"):
            node.type = None
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        node.keywords = [one for one in node.keywords if one.arg != "encoding"]
        return node


@settings(max_examples=30)
@given(text=programs())
def test_tree_is_the_same_but_for_what_was_meant(text: str) -> None:
    after = rewritten_by(text, ("E711", "E712", "E722", "PLW1514"))
    before_tree, after_tree = (Neutral().visit(ast.parse(one)) for one in (text, after))
    assert ast.dump(after_tree) == ast.dump(before_tree)


@settings(max_examples=200)
@given(
    text=st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=60),
    newline=st.sampled_from(["\n", "\r\n"]),
    has_mark=st.booleans(),
)
def test_source_survives_being_read_and_written(text: str, newline: str, has_mark: bool) -> None:
    mark = b"\xef\xbb\xbf" if has_mark else b""
    content = mark + ("# first\nsecond = 1\n" + text).replace("\n", newline).encode()
    assert parse_source(content).to_bytes() == content
