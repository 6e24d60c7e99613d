"""B006: a default that is made once and shared by all calls."""

import ast
from collections.abc import Iterator, Sequence

from cortex.models.offline_rules.edits import Done, Outcome, Refused, TextEdit
from cortex.models.offline_rules.module import Function, Module
from cortex.models.offline_rules.surroundings import UNION_SYNTAX, Surroundings
from cortex.models.port import Finding

_MAKERS = {"list", "dict", "set"}
_QUIET_DECORATORS = {
    "abstractmethod", "classmethod", "contextmanager", "asynccontextmanager",
    "override", "property", "setter", "staticmethod", "wraps",
}  # fmt: skip
_KEPT_ON_PURPOSE = ("cache", "memo", "seen", "registry", "state", "visited")


def rewrite(module: Module, findings: Sequence[Finding], around: Surroundings) -> list[Outcome]:
    """`None` as the default, and the old one made at the start of the body."""
    outcomes: list[Outcome] = []
    for finding in sorted(findings, key=lambda one: (one.row, one.column)):
        outcomes.append(_outcome(module, finding, around))
    return _ordered(outcomes)


def _ordered(outcomes: list[Outcome]) -> list[Outcome]:
    """Join the lines that go in at one place, so that they stand in the order of the parameters."""
    inserted: dict[int, str] = {}
    for outcome in outcomes:
        if isinstance(outcome, Done):
            last = outcome.edits[-1]
            inserted[last.start] = inserted.get(last.start, "") + last.replacement
    return [
        Done(
            one.finding,
            (
                *one.edits[:-1],
                TextEdit(one.edits[-1].start, one.edits[-1].end, inserted[one.edits[-1].start]),
            ),
            one.how,
            one.rejected,
        )
        if isinstance(one, Done)
        else one
        for one in outcomes
    ]


def _outcome(module: Module, finding: Finding, around: Surroundings) -> Outcome:
    found = _default_at(module, module.offset(finding.row, finding.column - 1))
    if found is None:
        return Refused(finding, "no default of a `def` is found where the linter sees one")
    function, argument, default = found
    reason = (
        _objection_to_default(module, default)
        or _objection_to_function(module, function)
        or _objection_to_use(function, argument.arg)
        or _objection_to_annotation(module, argument, around)
    )
    if reason:
        return Refused(finding, reason)
    edits = [TextEdit(module.start(default), module.end(default), "None")]
    if argument.annotation is not None:
        end = module.end(argument.annotation)
        edits.append(TextEdit(end, end, " | None"))
    edits.append(_creation(module, function, argument.arg, module.source_of(default)))
    return Done(
        finding,
        tuple(edits),
        "make the default anew in each call",
        rejected=f"an immutable default for `{argument.arg}`: the body may need what "
        f"`{module.source_of(default)}` can do",
    )


def _default_at(module: Module, offset: int) -> tuple[Function, ast.arg, ast.expr] | None:
    for function in module.functions():
        for argument, default in _defaults(function.args):
            if module.start(default) == offset:
                return function, argument, default
    return None


def _defaults(arguments: ast.arguments) -> Iterator[tuple[ast.arg, ast.expr]]:
    positional = [*arguments.posonlyargs, *arguments.args]
    if arguments.defaults:
        yield from zip(positional[-len(arguments.defaults) :], arguments.defaults, strict=True)
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if default is not None:
            yield argument, default


def _objection_to_default(module: Module, default: ast.expr) -> str:
    if "#" in module.source_of(default) or "\n" in module.source_of(default):
        return "the default spans several lines"
    match default:
        case ast.List() | ast.Set() | ast.Dict():
            parts = list(ast.iter_child_nodes(default))
            if all(isinstance(one, ast.Constant | ast.expr_context) for one in parts):
                return ""
        case ast.Call(func=ast.Name(id=name), args=[], keywords=[]) if name in _MAKERS:
            return ""
    return f"`{module.source_of(default)}` is evaluated once now and would be in each call"


def _objection_to_function(module: Module, function: Function) -> str:
    for decorator in function.decorator_list:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
        if name not in _QUIET_DECORATORS:
            return f"the decorator `{module.source_of(decorator)}` may read the defaults"
    first = _first_own_statement(function)
    if first is None:
        return "the body is no more than a docstring, a stub perhaps"
    if isinstance(first, ast.Pass) or _is_ellipsis(first):
        return "the body is a stub"
    start = module.start(_with_decorators(first))
    before = module.text[module.text.rfind("\n", 0, start) + 1 : start]
    return "its body does not begin on a line of its own" if before.strip("@ \t") else ""


def _is_ellipsis(statement: ast.stmt) -> bool:
    match statement:
        case ast.Expr(value=ast.Constant(value=value)):
            return value is Ellipsis
    return False


def _first_own_statement(function: Function) -> ast.stmt | None:
    """The first statement after the docstring."""
    body = function.body if ast.get_docstring(function) is None else function.body[1:]
    return body[0] if body else None


def _with_decorators(statement: ast.stmt) -> ast.AST:
    """What of a statement is written first."""
    decorators = getattr(statement, "decorator_list", [])
    return decorators[0] if decorators else statement


def _objection_to_use(function: Function, name: str) -> str:
    if any(word in name.lower() for word in _KEPT_ON_PURPOSE):
        return f"the name `{name}` says that it is kept between calls on purpose"
    for node in ast.walk(function):
        match node:
            case ast.Compare(left=ast.Name(id=left), comparators=[ast.Constant(value=None)]):
                if left == name:
                    return f"the body asks whether `{name}` is None: that has a meaning already"
            case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[ast.Name(id=right)]):
                if right == name and _is_filled_by_key(function, name):
                    return f"`{name}` is asked and filled as a cache that calls share"
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                continue
    if _is_counted_in(function, name):
        return f"`{name}` holds a count that calls share"
    return ""


def _is_filled_by_key(function: Function, name: str) -> bool:
    return any(
        isinstance(one, ast.Subscript)
        and isinstance(one.ctx, ast.Store)
        and isinstance(one.value, ast.Name)
        and one.value.id == name
        for one in ast.walk(function)
    )


def _is_counted_in(function: Function, name: str) -> bool:
    """Whether the body counts in it: `name[0] += 1` makes sense only when calls share it."""
    return any(
        isinstance(one, ast.AugAssign)
        and isinstance(one.target, ast.Subscript)
        and isinstance(one.target.value, ast.Name)
        and one.target.value.id == name
        for one in ast.walk(function)
    )


def _objection_to_annotation(module: Module, argument: ast.arg, around: Surroundings) -> str:
    annotation = argument.annotation
    if annotation is None:
        return ""
    written = module.source_of(annotation)
    if not isinstance(annotation, ast.Name | ast.Attribute | ast.Subscript):
        return f"its annotation `{written}` would have to take None too, and is no plain type"
    if "None" in written or "Optional" in written:
        return f"its annotation `{written}` takes None already: that has a meaning"
    if around.lowest_python < UNION_SYNTAX and not _has_lazy_annotations(module):
        version = ".".join(str(part) for part in around.lowest_python)
        return f"`{written} | None` fails on Python {version}, which the project supports"
    return ""


def _has_lazy_annotations(module: Module) -> bool:
    return any(
        one.module == "__future__" and any(name.name == "annotations" for name in one.names)
        for one in module.nodes(ast.ImportFrom)
    )


def _creation(module: Module, function: Function, name: str, default: str) -> TextEdit:
    first = _first_own_statement(function)
    if first is None:
        raise ValueError(f"{function.name} has no statement to go before")
    place = _above_comments(module, module.start(_with_decorators(first)))
    indent = _white(module.text[module.text.rfind("\n", 0, module.start(first)) + 1 :])
    step = "\t" if indent.startswith("\t") else "    "
    newline = module.newline
    written = f"{indent}if {name} is None:{newline}{indent}{step}{name} = {default}{newline}"
    return TextEdit(place, place, written)


def _above_comments(module: Module, start: int) -> int:
    """Start of the statement's line, or of the comments directly above it, which belong to it."""
    place = module.text.rfind("\n", 0, start) + 1
    while place:
        above = module.text.rfind("\n", 0, place - 1) + 1
        if not module.text[above:place].lstrip().startswith("#"):
            break
        place = above
    return place


def _white(text: str) -> str:
    return text[: len(text) - len(text.lstrip(" \t"))]
