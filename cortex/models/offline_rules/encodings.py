"""PLW1514: text files opened in whatever encoding the machine happens to have."""

import ast
from collections.abc import Sequence

from cortex.models.offline_rules.edits import Done, Outcome, Refused, TextEdit
from cortex.models.offline_rules.module import Module, Token
from cortex.models.offline_rules.surroundings import Surroundings
from cortex.models.port import Finding

_KEYWORD = 'encoding="utf-8"'
_MODE_PLACES = {"read_text": None, "write_text": None}
"""Where the mode stands among the positional arguments, for calls other than `open`."""


def rewrite(module: Module, findings: Sequence[Finding], around: Surroundings) -> list[Outcome]:
    """Add `encoding="utf-8"` to the call."""
    del around
    return [_outcome(module, one) for one in findings]


def _outcome(module: Module, finding: Finding) -> Outcome:
    call = _call(module, finding)
    if call is None:
        return Refused(finding, "no call is found where the linter sees one")
    reason = _objection(module, call)
    if reason:
        return Refused(finding, reason)
    return Done(
        finding,
        (_insertion(module, call),),
        f"write {_KEYWORD}",
        rejected='encoding="locale": it keeps the reading that differs from machine to machine',
    )


def _call(module: Module, finding: Finding) -> ast.Call | None:
    """Return the call whose function the finding spans.

    `Path(x).read_text()` begins where `Path(x)` does: only the end tells which of them is meant.
    """
    start = module.offset(finding.row, finding.column - 1)
    calls = [one for one in module.nodes(ast.Call) if module.start(one.func) == start]
    if finding.end_row:
        end = module.offset(finding.end_row, finding.end_column - 1)
        calls = [one for one in calls if module.end(one.func) == end]
    return calls[0] if len(calls) == 1 else None


def _objection(module: Module, call: ast.Call) -> str:
    if module.is_in_format_string(call):
        return "it stands inside an f-string, whose parts cannot be placed exactly"
    if any(isinstance(one, ast.Starred) for one in call.args):
        return "its arguments are unpacked with `*`: an encoding may be among them"
    if any(one.arg is None for one in call.keywords):
        return "its arguments are unpacked with `**`: an encoding may be among them"
    if any(one.arg == "encoding" for one in call.keywords):
        return "it names an encoding already"
    match _mode(call):
        case None:
            return ""
        case ast.Constant(value=str(mode)):
            return "its mode is binary" if "b" in mode else ""
        case other:
            return f"its mode `{module.source_of(other)}` is no literal: it may be binary"


def _mode(call: ast.Call) -> ast.expr | None:
    for keyword in call.keywords:
        if keyword.arg == "mode":
            return keyword.value
    place = _mode_place(call.func)
    return call.args[place] if place is not None and len(call.args) > place else None


def _mode_place(function: ast.expr) -> int | None:
    """In `open(file, mode)` second, in `path.open(mode)` first; `io.open` is told by its owner."""
    if isinstance(function, ast.Name):
        return 1
    if not isinstance(function, ast.Attribute):
        return None
    if function.attr in _MODE_PLACES:
        return _MODE_PLACES[function.attr]
    is_of_module = isinstance(function.value, ast.Name) and function.value.id in ("io", "codecs")
    return 1 if is_of_module else 0


def _insertion(module: Module, call: ast.Call) -> TextEdit:
    """After the last argument; on a line of its own where each argument has one."""
    close = module.end(call) - 1
    last = module.code_tokens(module.start(call), close)[-1]
    if last.text == "(" and not call.args and not call.keywords:
        return TextEdit(last.end, last.end, _KEYWORD)
    if last.text != ",":
        return TextEdit(last.end, last.end, f", {_KEYWORD}")
    if "\n" in module.text[last.end : close]:
        return _own_line(module, last)
    return TextEdit(last.end, last.end, f" {_KEYWORD}")


def _own_line(module: Module, comma: Token) -> TextEdit:
    start = module.text.rfind("\n", 0, comma.start) + 1
    line = module.text[start : comma.start]
    indent = line[: len(line) - len(line.lstrip())]
    place = module.line_end(comma.end)
    return TextEdit(place, place, f"{module.newline}{indent}{_KEYWORD},")
