"""E722: `except:` takes even SystemExit and KeyboardInterrupt."""

import ast
from collections.abc import Iterator, Sequence

from cortex.models.offline_rules.edits import Done, Outcome, Refused, TextEdit
from cortex.models.offline_rules.module import Module
from cortex.models.offline_rules.surroundings import Surroundings
from cortex.models.port import Finding

_ENDING_CALLS = {"exit", "quit", "_exit", "abort"}
_ENDING_ERRORS = {"SystemExit", "KeyboardInterrupt", "GeneratorExit", "BaseException"}


def rewrite(module: Module, findings: Sequence[Finding], around: Surroundings) -> list[Outcome]:
    """`except Exception:`, or `except BaseException:` where everything is raised again."""
    del around
    return [_outcome(module, one) for one in findings]


def _outcome(module: Module, finding: Finding) -> Outcome:
    offset = module.offset(finding.row, finding.column - 1)
    handlers = (one for one in module.nodes(ast.ExceptHandler) if one.type is None)
    handler = next((one for one in handlers if module.start(one) == offset), None)
    if handler is None:
        return Refused(finding, "no bare except is found where the linter sees one")
    name = "BaseException" if _always_raises_again(handler) else "Exception"
    reason = _objection(module, handler, name)
    if reason:
        return Refused(finding, reason)
    place = offset + len("except")
    edit = TextEdit(place, place, f" {name}")
    if name == "BaseException":
        rejected = "`except Exception`: the cleanup before `raise` would be skipped on Ctrl-C"
    else:
        rejected = "`except BaseException`: SystemExit and KeyboardInterrupt stay swallowed"
    return Done(finding, (edit,), f"catch {name}", rejected=rejected)


def _objection(module: Module, handler: ast.ExceptHandler, name: str) -> str:
    if name in _bound_names(module):
        return f"the file gives the name {name} a meaning of its own"
    guarded = module.parent(handler)
    if name == "BaseException" or not isinstance(guarded, ast.Try):
        return ""
    for node in _own_nodes(guarded.body):
        ending = _ending(node)
        if ending:
            return f"line {node.lineno} {ending}, which only the bare except catches"
    return ""


def _ending(node: ast.AST) -> str:
    """How the node ends the program or the generator past `except Exception`; empty: not at all."""
    match node:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in _ENDING_CALLS:
            return f"calls {name}"
        case ast.Name(id=name) | ast.Attribute(attr=name) if name in _ENDING_ERRORS:
            return f"names {name}"
        case ast.Yield() | ast.YieldFrom():
            return "yields, and closing the generator raises GeneratorExit there"
    return ""


def _always_raises_again(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    leaves = any(
        isinstance(one, ast.Return | ast.Break | ast.Continue) for one in _own_nodes(handler.body)
    )
    return isinstance(last, ast.Raise) and last.exc is None and not leaves


def _own_nodes(statements: Sequence[ast.AST]) -> Iterator[ast.expr | ast.stmt]:
    """The nodes that run with these statements: not those inside nested definitions."""
    for node in statements:
        if isinstance(node, ast.expr | ast.stmt):
            yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from _own_nodes(list(ast.iter_child_nodes(node)))


def _bound_names(module: Module) -> set[str]:
    names = {one.id for one in module.nodes(ast.Name) if not isinstance(one.ctx, ast.Load)}
    names |= {one.name for one in module.nodes(ast.ClassDef)}
    names |= {one.arg for one in module.nodes(ast.arg)}
    names |= {one.asname or one.name for one in module.nodes(ast.alias)}
    return names
