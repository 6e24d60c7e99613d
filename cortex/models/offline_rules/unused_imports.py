"""F401: names that are imported and not used."""

import ast
import tokenize
from collections.abc import Iterator, Sequence

from cortex.models.offline_rules.edits import Done, Outcome, Refused, TextEdit
from cortex.models.offline_rules.module import Module
from cortex.models.offline_rules.removal import Remover
from cortex.models.offline_rules.surroundings import Surroundings
from cortex.models.port import Finding

Statement = ast.Import | ast.ImportFrom


def rewrite(module: Module, findings: Sequence[Finding], around: Surroundings) -> list[Outcome]:
    """Take the unused names out, and the statement with its last name."""
    outcomes: list[Outcome] = []
    unused: dict[Statement, list[tuple[Finding, ast.alias]]] = {}
    for finding in findings:
        found = _alias_at(module, finding)
        if found is None:
            outcomes.append(Refused(finding, "no import is found where the linter sees one"))
            continue
        statement, alias = found
        reason = _objection(module, statement, alias, around)
        if reason:
            outcomes.append(Refused(finding, reason))
        else:
            unused.setdefault(statement, []).append((finding, alias))
    remover = Remover(module)
    for statement, chosen in unused.items():
        outcomes += _take_out(module, remover, statement, chosen)
    return outcomes


def _alias_at(module: Module, finding: Finding) -> tuple[Statement, ast.alias] | None:
    offset = module.offset(finding.row, finding.column - 1)
    for statement in _imports(module):
        for alias in statement.names:
            if module.start(alias) <= offset < module.end(alias):
                return statement, alias
    return None


def _imports(module: Module) -> Iterator[Statement]:
    yield from module.nodes(ast.Import)
    yield from module.nodes(ast.ImportFrom)


def _objection(module: Module, statement: Statement, alias: ast.alias, around: Surroundings) -> str:
    name = alias.asname or alias.name
    file_name = around.path.rpartition("/")[2]
    if file_name == "__init__.py":
        return f"`{name}` may be there for those who import the package"
    if file_name == "conftest.py":
        return f"pytest may look for `{name}` in this file"
    if alias.asname == alias.name:
        return f"`import {name} as {name}` says that the name is passed on"
    if "*" in around.names_taken or name.partition(".")[0] in around.names_taken:
        return f"another file takes `{name}` from this one"
    if _module_names(statement, alias) & around.acting_modules:
        return f"importing `{name}` does something: its file calls functions for their effect"
    if any(one.arg == name for one in module.nodes(ast.arg)):
        return f"a parameter is named `{name}`: a framework may fill it by this import"
    for above in module.ancestors(statement):
        if isinstance(above, ast.Try) and statement in above.body and above.handlers:
            return f"the `try` around it asks whether `{name}` can be imported"
    return ""


def _module_names(statement: Statement, alias: ast.alias) -> set[str]:
    """What the imported module may be called in its own package."""
    whole = statement.module if isinstance(statement, ast.ImportFrom) else alias.name
    return {alias.name.rpartition(".")[2], (whole or "").rpartition(".")[2]}


def _take_out(
    module: Module,
    remover: Remover,
    statement: Statement,
    chosen: list[tuple[Finding, ast.alias]],
) -> list[Outcome]:
    names = ", ".join(f"`{one.name}`" for _, one in chosen)
    rejected = f"a `noqa` for {names}: nothing shows that the import is wanted for its effects"
    if len(chosen) < len(statement.names):
        return _names_only(module, statement, chosen, rejected)
    reason = remover.objection(statement)
    if reason:
        return [Refused(finding, reason) for finding, _ in chosen]
    edit = remover.remove(statement)
    return [Done(finding, (edit,), "take the import out", rejected) for finding, _ in chosen]


def _names_only(
    module: Module, statement: Statement, chosen: list[tuple[Finding, ast.alias]], rejected: str
) -> list[Outcome]:
    unused = [alias for _, alias in chosen]
    tail = _tail(module, statement, unused)
    outcomes: list[Outcome] = []
    for finding, alias in chosen:
        edit = tail if tail and tail.start < module.start(alias) else _one_name(module, alias)
        if edit is None:
            outcomes.append(Refused(finding, "a comment stands between it and the name before"))
        else:
            outcomes.append(Done(finding, (edit,), "take the name out", rejected))
    return outcomes


def _tail(module: Module, statement: Statement, unused: list[ast.alias]) -> TextEdit | None:
    """One edit for the unused names after the last used one, which keeps no comma of theirs."""
    used = max(place for place, one in enumerate(statement.names) if one not in unused)
    if used == len(statement.names) - 1:
        return None
    start, end = module.end(statement.names[used]), module.end(statement.names[-1])
    return None if "#" in module.text[start:end] else TextEdit(start, end)


def _one_name(module: Module, alias: ast.alias) -> TextEdit | None:
    """The name with the comma after it; with its line, if that is all the line holds."""
    start = module.start(alias)
    after = _comma(module, module.end(alias))
    if after is None:
        return None
    line_start = module.text.rfind("\n", 0, start) + 1
    line_end = module.line_end(after)
    is_alone = not module.text[line_start:start].strip() and not module.text[after:line_end].strip()
    if is_alone:
        return TextEdit(line_start, module.text.find("\n", after) + 1)
    while module.text[after : after + 1] in (" ", "\t"):
        after += 1
    return TextEdit(start, after)


def _comma(module: Module, start: int) -> int | None:
    """Offset after the comma that follows a name, if one does."""
    following = (one for one in module.tokens if one.start >= start)
    for token in following:
        if token.kind not in (tokenize.NL, tokenize.COMMENT):
            return token.end if token.text == "," else None
    return None
