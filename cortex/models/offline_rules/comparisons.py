"""E711 and E712: comparisons with None, True and False.

`is` asks for identity where `==` asks the objects. Both say the same of None unless somebody
overloads `==`, as numpy, pandas and SQLAlchemy do; of True and False only for real booleans.
"""

import ast
from collections.abc import Iterator, Sequence

from cortex.models.offline_rules.edits import Done, Outcome, Refused, TextEdit
from cortex.models.offline_rules.module import Module
from cortex.models.offline_rules.surroundings import Surroundings
from cortex.models.port import Finding

_OVERLOADING = {
    "django", "jax", "numpy", "pandas", "peewee", "polars", "pony", "pyarrow", "pyspark",
    "sqlalchemy", "sqlmodel", "sympy", "tensorflow", "torch", "xarray",
}  # fmt: skip
_BOOLEAN_CALLS = {"isinstance", "issubclass", "callable", "hasattr", "bool", "any", "all"}
_HARMLESS_CALLS = {"bool", "print", "str", "repr", "assertTrue", "assertFalse"}


def rewrite(module: Module, findings: Sequence[Finding], around: Surroundings) -> list[Outcome]:
    """`==` to `is` and `!=` to `is not`, where that asks the same."""
    del around
    return [_outcome(module, one) for one in findings]


def _outcome(module: Module, finding: Finding) -> Outcome:
    found = _comparison(module, finding)
    if found is None:
        return Refused(finding, "no comparison is found where the linter sees one")
    compare, places = found
    reason = _objection(module, compare, places)
    if reason:
        return Refused(finding, reason)
    edits = tuple(_identity(module, compare, place) for place in places)
    return Done(
        finding,
        edits,
        "compare by identity, with `is`",
        rejected=_rejected(module, compare, places[0], finding.rule),
    )


def _rejected(module: Module, compare: ast.Compare, place: int, rule: str) -> str:
    sides = _operands(compare)[place : place + 2]
    other = next((one for one in sides if not _is_meant(one, rule)), sides[0])
    written = module.source_of(other).partition("\n")[0][:40]
    if rule == "E711":
        return f"a test of `{written}` for truth: it fails for 0 and empty values too"
    return f"a bare test of `{written}`: identity keeps what the comparison returns"


def _comparison(module: Module, finding: Finding) -> tuple[ast.Compare, list[int]] | None:
    """The comparison that the finding means, and which of its operators it is about."""
    offset = module.offset(finding.row, finding.column - 1)
    for compare in module.nodes(ast.Compare):
        operands = _operands(compare)
        places = [
            place
            for place, operator in enumerate(compare.ops)
            if isinstance(operator, ast.Eq | ast.NotEq)
            and any(_is_meant(one, finding.rule) for one in operands[place : place + 2])
        ]
        starts = {module.start(compare)}
        starts |= {module.start(one) for one in operands if _is_meant(one, finding.rule)}
        if places and offset in starts:
            return compare, places
    return None


def _operands(compare: ast.Compare) -> list[ast.expr]:
    return [compare.left, *compare.comparators]


def _is_meant(node: ast.expr, rule: str) -> bool:
    if not isinstance(node, ast.Constant):
        return False
    return node.value is None if rule == "E711" else node.value is True or node.value is False


def _identity(module: Module, compare: ast.Compare, place: int) -> TextEdit:
    operands = _operands(compare)
    between = module.code_tokens(module.end(operands[place]), module.start(operands[place + 1]))
    token = next(one for one in between if one.text in ("==", "!="))
    word = "is" if token.text == "==" else "is not"
    before = "" if module.text[token.start - 1].isspace() else " "
    after = "" if module.text[token.end].isspace() else " "
    return TextEdit(token.start, token.end, before + word + after)


def _objection(module: Module, compare: ast.Compare, places: list[int]) -> str:
    if module.is_in_format_string(compare):
        return "it stands inside an f-string, whose parts cannot be placed exactly"
    operands = _operands(compare)
    for place in places:
        for one in operands[place : place + 2]:
            reason = _objection_to(module, one)
            if reason:
                return reason
    return _objection_to_use(module, compare)


def _objection_to(module: Module, operand: ast.expr) -> str:
    if isinstance(operand, ast.Constant) and isinstance(operand.value, bool | None):
        return ""
    written = module.source_of(operand)
    if isinstance(operand, ast.Constant | ast.Tuple):
        return f"`is` with the literal `{written}` is a warning of Python itself"
    compare = module.parent(operand)
    is_about_booleans = isinstance(compare, ast.Compare) and any(
        _is_meant(one, "E712") for one in _operands(compare)
    )
    if is_about_booleans and not _is_boolean(module, operand):
        return f"`{written}` may be 1 or 0, which equal a boolean and are not identical to it"
    return ""


def _objection_to_use(module: Module, compare: ast.Compare) -> str:
    for function in module.functions():
        if function.name in ("__eq__", "__ne__") and module.function_of(compare) is not function:
            return f"line {function.lineno} overloads `==`, which `is` would not ask"
    use = _use(module, compare)
    if use == "truth":
        return ""
    if use == "operand":
        return "its result goes into an expression that may need an overloaded `==`"
    libraries = sorted(_OVERLOADING & set(_imported_packages(module)))
    if libraries:
        return f"the file imports {libraries[0]}, whose `==` may be overloaded"
    return ""


def _use(module: Module, node: ast.expr) -> str:
    """What becomes of the result: `truth`, `operand` of something that may overload, `value`."""
    inner: ast.AST = node
    for above in module.ancestors(node):
        if isinstance(above, ast.If | ast.While | ast.Assert):
            return "truth"
        if isinstance(above, ast.IfExp) and above.test is inner:
            return "truth"
        if isinstance(above, ast.comprehension) and inner in above.ifs:
            return "truth"
        if isinstance(above, ast.UnaryOp) and isinstance(above.op, ast.Not):
            return "truth"
        if isinstance(above, ast.Subscript | ast.BinOp | ast.UnaryOp | ast.Compare):
            return "operand"
        if isinstance(above, ast.Call | ast.keyword):
            called = above.func if isinstance(above, ast.Call) else None
            return "value" if _name(called) in _HARMLESS_CALLS else "operand"
        if isinstance(above, ast.stmt):
            return "value"
        inner = above
    return "value"


def _imported_packages(module: Module) -> Iterator[str]:
    for plain in module.nodes(ast.Import):
        yield from (one.name.partition(".")[0] for one in plain.names)
    for chosen in module.nodes(ast.ImportFrom):
        yield (chosen.module or "").partition(".")[0]


def _name(node: ast.expr | None) -> str:
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else ""


def _is_boolean(module: Module, node: ast.expr) -> bool:
    """Whether the expression can only be True or False."""
    match node:
        case ast.Constant(value=bool()) | ast.UnaryOp(op=ast.Not()):
            return True
        case ast.Compare(ops=operators):
            return all(
                isinstance(one, ast.Is | ast.IsNot | ast.In | ast.NotIn) for one in operators
            )
        case ast.BoolOp(values=values):
            return all(_is_boolean(module, one) for one in values)
        case ast.Call(func=ast.Name(id=name)):
            return name in _BOOLEAN_CALLS
        case ast.Name(id=name):
            return _is_boolean_name(module, node, name)
    return False


def _is_boolean_name(module: Module, node: ast.Name, name: str) -> bool:
    """Whether a local name is annotated as a boolean, or only ever bound to booleans."""
    function = module.function_of(node)
    if function is None:
        return False
    bindings = [
        one
        for one in ast.walk(function)
        if isinstance(one, ast.Name) and one.id == name and not isinstance(one.ctx, ast.Load)
    ]
    values = [_bound_value(module, one) for one in bindings]
    # A value that names the variable again would be asked about for ever.
    are_boolean = all(
        value is not None and not _mentions(value, name) and _is_boolean(module, value)
        for value in values
    )
    arguments = function.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    argument = next((one for one in every if one.arg == name), None)
    if argument is not None:
        is_annotated = (
            isinstance(argument.annotation, ast.Name) and argument.annotation.id == "bool"
        )
        return is_annotated and are_boolean
    return bool(values) and are_boolean


def _bound_value(module: Module, target: ast.Name) -> ast.expr | None:
    statement = module.parent(target)
    match statement:
        case ast.Assign(value=value) if target in statement.targets:
            return value
        case ast.AnnAssign(value=value):
            return value
    return None


def _mentions(value: ast.expr, name: str) -> bool:
    return any(isinstance(one, ast.Name) and one.id == name for one in ast.walk(value))
