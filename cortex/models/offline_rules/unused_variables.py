"""F841: local variables that are set and not read."""

import ast
from collections.abc import Sequence

from cortex.models.offline_rules.edits import Done, Outcome, Refused, TextEdit
from cortex.models.offline_rules.module import Function, Module
from cortex.models.offline_rules.removal import Remover
from cortex.models.offline_rules.surroundings import Surroundings
from cortex.models.port import Finding

_FRAME_READERS = {"locals", "vars", "eval", "exec", "dir", "_getframe", "currentframe", "stack"}
_KEPT_ALIVE = {
    "create_task", "ensure_future", "finalize", "mkdtemp", "mkstemp", "open", "popen",
    "run_coroutine_threadsafe", "start_soon", "submit",
}  # fmt: skip
_Setting = ast.Assign | ast.AnnAssign


def rewrite(module: Module, findings: Sequence[Finding], around: Surroundings) -> list[Outcome]:
    """Take the variable out; a call that was assigned to it stays."""
    del around
    remover = Remover(module)
    return [_outcome(module, remover, one) for one in findings]


def _outcome(module: Module, remover: Remover, finding: Finding) -> Outcome:
    offset = module.offset(finding.row, finding.column - 1)
    for handler in module.nodes(ast.ExceptHandler):
        if handler.name and module.start(handler) <= offset < module.start(handler.body[0]):
            return _without_as(module, finding, offset, handler.name)
    name = next((one for one in module.nodes(ast.Name) if module.start(one) == offset), None)
    if name is None or not isinstance(name.ctx, ast.Store):
        return Refused(finding, "no variable is found where the linter sees one")
    function = module.function_of(name)
    if function is None or _reads_its_frame(function):
        return Refused(finding, "the function looks at its own variables by other ways than names")
    parent = module.parent(name)
    if isinstance(parent, ast.withitem):
        return _without_as(module, finding, offset, name.id)
    if isinstance(parent, ast.Assign | ast.AnnAssign):
        return _unset(module, remover, finding, parent, function)
    return Refused(finding, "it is set in a way that also does something else")


def _reads_its_frame(function: Function) -> bool:
    names = {one.id for one in ast.walk(function) if isinstance(one, ast.Name)}
    names |= {one.attr for one in ast.walk(function) if isinstance(one, ast.Attribute)}
    return bool(names & _FRAME_READERS)


def _without_as(module: Module, finding: Finding, offset: int, name: str) -> Outcome:
    """`except E as e:` and `with c as v:` without the name."""
    tokens = [one for one in module.tokens if one.start <= offset]
    word = next((one for one in reversed(tokens) if one.text == "as"), None)
    target = next((one for one in module.tokens if one.start >= offset and one.text == name), None)
    if word is None or target is None or "#" in module.text[word.start : target.end]:
        return Refused(finding, "a comment stands between `as` and the name")
    start = len(module.text[: word.start].rstrip(" \t"))
    if module.text[word.end : target.start].strip() or start == 0:
        return Refused(finding, "the name stands in parentheses or on a line of its own")
    if module.text[start - 1] in "\\\n":
        start = word.start
    return Done(
        finding,
        (TextEdit(start, target.end),),
        "take the name out, leave what it was bound to",
        rejected="a name with an underscore: nobody reads that either",
    )


def _unset(
    module: Module, remover: Remover, finding: Finding, setting: _Setting, function: Function
) -> Outcome:
    if isinstance(setting, ast.Assign) and len(setting.targets) > 1:
        return Refused(finding, "other names are set by the same statement")
    if setting.value is None:
        return Refused(finding, "it is declared and never set")
    if _is_without_effect(setting.value, function):
        reason = remover.objection(setting)
        if reason:
            return Refused(finding, reason)
        return Done(
            finding,
            (remover.remove(setting),),
            "take the assignment out, its value has no effect",
            rejected="a name with an underscore: nobody reads that either",
        )
    reason = _objection_to_value(module, setting.value)
    if reason:
        return Refused(finding, reason)
    return _keep_value(module, finding, setting)


def _is_without_effect(value: ast.expr, function: Function) -> bool:
    match value:
        case ast.Constant():
            return True
        case ast.Lambda():
            return not (value.args.defaults or value.args.kw_defaults)
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            return all(_is_without_effect(one, function) for one in parts)
        case ast.Dict(keys=keys, values=values):
            # A key that cannot be hashed would raise; a constant always can.
            return all(isinstance(one, ast.Constant) for one in keys) and all(
                _is_without_effect(one, function) for one in values
            )
        case ast.Name(id=name):
            return name in _parameters(function) and not _is_deleted(function, name)
    return False


def _parameters(function: Function) -> set[str]:
    arguments = function.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return {one.arg for one in every}


def _is_deleted(function: Function, name: str) -> bool:
    """Whether reading it may fail: `del`, and `except ... as`, which deletes too."""
    return any(
        (isinstance(one, ast.Name) and one.id == name and isinstance(one.ctx, ast.Del))
        or (isinstance(one, ast.ExceptHandler) and one.name == name)
        for one in ast.walk(function)
    )


def _objection_to_value(module: Module, value: ast.expr) -> str:
    written = module.source_of(value)
    called = value.value if isinstance(value, ast.Await) else value
    if isinstance(called, ast.Yield | ast.YieldFrom):
        return ""
    if not isinstance(called, ast.Call):
        return f"evaluating `{_short(written)}` may fail or run code, and alone it says nothing"
    function = called.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    if name[:1].isupper():
        return f"the object that `{name}` makes may have to live as long as the variable"
    if name in _KEPT_ALIVE:
        return f"what `{name}` returns has to be kept as long as the variable does"
    return ""


def _short(written: str) -> str:
    line = written.split("\n")[0]
    return line if len(line) <= 40 and line == written else line[:40] + "..."


def _keep_value(module: Module, finding: Finding, setting: _Setting) -> Outcome:
    target = setting.annotation if isinstance(setting, ast.AnnAssign) else setting.targets[0]
    if setting.value is None:
        raise ValueError("a declaration without a value has nothing to keep")
    between = module.code_tokens(module.end(target), module.start(setting.value))
    equals = next(one for one in between if one.text == "=")
    place = equals.end
    while module.text[place] in " \t":
        place += 1
    if module.text[place] in "\\\r\n" or "#" in module.text[module.start(setting) : place]:
        return Refused(finding, "its value does not begin on the line of its name")
    return Done(
        finding,
        (TextEdit(module.start(setting), place),),
        "take the name out, leave the call",
        rejected="removing the whole statement: the call may do more than return a value",
    )
