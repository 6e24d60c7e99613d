"""The offline model's plan: tasks from findings. Pure.

A file's findings are parted in two: those that are resolved without a change of what the program
does, and those whose rewrite could change it. So a careful rewrite that is sent back holds up none
of the plain ones.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from cortex.models.offline_rules.rewriting import REWRITES
from cortex.models.port import Finding, LeftOut, Plan, PlannedTask, PlanRequest
from cortex.models.ruff import UNREADABLE_RULE
from cortex.models.scope import Scope, check_paths, parse_scope
from cortex.tools.findings import INVALID_SYNTAX

MAX_GROUP_FILES = 10
"""Most files of one task by rule; more would be too much for one review."""
_PLAIN = {"F401"}
"""Rewrites of ours that count as plain; safe fixes of the linter always do."""


def make_plan(request: PlanRequest) -> Plan:
    """Part the findings that the task names into tasks.

    Raises:
        TaskRefusedError: the task is about something else, or names files that do not exist.
    """
    scope = parse_scope(request.task)
    check_paths(scope, (one.path for one in request.files))
    within = [one for one in request.findings if scope.covers(one)]
    doable, left_out = _part(within)
    tasks = link_shared_files([*_plain_tasks(doable), *_careful_tasks(doable)])
    return Plan(
        tasks=tasks,
        rationale=_rationale(request, scope, within, tasks, left_out),
        rejected_alternatives=_rejected(request, within, doable, tasks),
        left_out=left_out,
        confidence=round(len(doable) / len(within), 2) if within else 1.0,
    )


def rules_named(task: str) -> tuple[str, ...]:
    """The rules that the task names by whole codes; the linter has to be asked for them.

    Raises:
        TaskRefusedError: the task is about something else.
    """
    scope = parse_scope(task)
    return tuple(one for one in scope.rules if one not in scope.excluded_rules)


def link_shared_files(tasks: Sequence[PlannedTask]) -> tuple[PlannedTask, ...]:
    """Make each task depend on the one before it that touches one of its files too.

    Tasks stand after those that they depend on, so no circle can come of it.
    """
    last: dict[str, str] = {}
    linked = []
    for task in tasks:
        before = {last[path]: None for path in task.paths if path in last}
        needed = dict.fromkeys(task.depends_on) | before
        linked.append(replace(task, depends_on=tuple(needed)))
        last.update(dict.fromkeys(task.paths, task.key))
    return tuple(linked)


def count_rules(findings: Iterable[Finding]) -> str:
    """`F401 unused-import (3), E722 bare-except (1)`, most frequent first."""
    counts = Counter((one.rule, one.name) for one in findings)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{f'{rule} {name}'.rstrip()} ({count})" for (rule, name), count in ordered)


@dataclass(frozen=True, slots=True)
class _Doable:
    finding: Finding
    is_plain: bool


def _part(findings: Sequence[Finding]) -> tuple[list[_Doable], tuple[LeftOut, ...]]:
    broken = {one.path: one for one in findings if one.rule in (INVALID_SYNTAX, UNREADABLE_RULE)}
    doable: list[_Doable] = []
    left: dict[str, list[Finding]] = {}
    for one in findings:
        if one.path in broken:
            continue
        if not one.path.endswith((".py", ".pyi")):
            left.setdefault("only Python files are worked on", []).append(one)
        elif one.rule in REWRITES and one.path.endswith(".py"):
            doable.append(_Doable(one, one.rule in _PLAIN))
        elif one.has_safe_fix:
            doable.append(_Doable(one, is_plain=True))
        else:
            left.setdefault("no safe fix is known, neither to ruff nor here", []).append(one)
    return doable, (
        *(_unreadable(path, one) for path, one in broken.items()),
        *(_left_out(reason, found) for reason, found in left.items()),
    )


def _unreadable(path: str, finding: Finding) -> LeftOut:
    kind = "does not parse" if finding.rule == INVALID_SYNTAX else "cannot be read"
    reason = f"{path} {kind}: line {finding.row}: {finding.message}"
    return LeftOut(title=path, reason=reason, paths=(path,), rules=(finding.rule,))


def _left_out(reason: str, findings: Sequence[Finding]) -> LeftOut:
    return LeftOut(
        title=count_rules(findings),
        reason=reason,
        paths=tuple(sorted({one.path for one in findings})),
        rules=tuple(sorted({one.rule for one in findings})),
    )


def _plain_tasks(doable: Sequence[_Doable]) -> list[PlannedTask]:
    """A task per file that has several rules, and one per rule for the files that have only it."""
    by_path = _by_path(one.finding for one in doable if one.is_plain)
    by_rule: dict[str, list[Finding]] = {}
    tasks = []
    for path, findings in by_path.items():
        rules = {one.rule for one in findings}
        if len(rules) == 1:
            by_rule.setdefault(rules.pop(), []).extend(findings)
        else:
            tasks.append(_file_task("plain", path, findings, priority=0))
    for rule, findings in sorted(by_rule.items()):
        tasks += _rule_tasks(rule, findings)
    return tasks


def _careful_tasks(doable: Sequence[_Doable]) -> list[PlannedTask]:
    by_path = _by_path(one.finding for one in doable if not one.is_plain)
    return [_file_task("careful", path, found, priority=1) for path, found in by_path.items()]


def _by_path(findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    by_path: dict[str, list[Finding]] = {}
    for one in findings:
        by_path.setdefault(one.path, []).append(one)
    return dict(sorted(by_path.items()))


def _file_task(kind: str, path: str, findings: Sequence[Finding], priority: int) -> PlannedTask:
    rules = tuple(sorted({one.rule for one in findings}))
    return PlannedTask(
        key=f"{kind}:{path}",
        title=f"{path}: {', '.join(rules)}",
        why=_why(findings),
        paths=(path,),
        rules=rules,
        priority=priority,
    )


def _rule_tasks(rule: str, findings: Sequence[Finding]) -> list[PlannedTask]:
    by_path = _by_path(findings)
    paths = list(by_path)
    tasks = []
    for first in range(0, len(paths), MAX_GROUP_FILES):
        group = paths[first : first + MAX_GROUP_FILES]
        found = [one for path in group for one in by_path[path]]
        part = f" ({first // MAX_GROUP_FILES + 1})" if len(paths) > MAX_GROUP_FILES else ""
        where = group[0] if len(group) == 1 else f"{len(group)} files"
        tasks.append(
            PlannedTask(
                key=f"rule:{rule}{part.replace(' ', '')}",
                title=f"{rule} {found[0].name}".rstrip() + f" in {where}{part}",
                why=_why(found),
                paths=tuple(group),
                rules=(rule,),
                priority=0,
            )
        )
    return tasks


def _why(findings: Sequence[Finding]) -> str:
    first = findings[0]
    example = f"{first.path}:{first.row}: {first.message}"
    more = f", and {len(findings) - 1} more" if len(findings) > 1 else ""
    return f"ruff reports {count_rules(findings)}: {example}{more}"


def _rationale(
    request: PlanRequest,
    scope: Scope,
    within: Sequence[Finding],
    tasks: Sequence[PlannedTask],
    left_out: Sequence[LeftOut],
) -> str:
    files = len({one.path for one in request.findings})
    said = [
        f"ruff reports {_counted(len(request.findings), 'finding')} in {_counted(files, 'file')}"
    ]
    said.append(f"the task is about {scope.describe()}: {_counted(len(within), 'finding')}")
    if within:
        said[-1] += f" ({count_rules(within)})"
    outside = len(request.findings) - len(within)
    if outside:
        said.append(f"{outside} outside of the task stay")
    linked = sum(bool(one.depends_on) for one in tasks)
    planned = f"{_counted(len(tasks), 'task')}"
    if linked:
        planned += f", {linked} of them after another that touches the same file"
    said.append(planned if tasks else "nothing is to be done")
    said += [f"left: {one.title}: {one.reason}" for one in left_out]
    return "; ".join(said)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" + ("" if count == 1 else "s")


def _rejected(
    request: PlanRequest,
    within: Sequence[Finding],
    doable: Sequence[_Doable],
    tasks: Sequence[PlannedTask],
) -> tuple[str, ...]:
    rejected = []
    if len(tasks) > 1:
        rejected.append(
            f"one task for all {len(doable)} findings: one rewrite sent back would hold up the "
            f"others, in {_counted(len({path for one in tasks for path in one.paths}), 'file')}"
        )
    unsafe = [one.finding for one in doable if one.finding.rule in REWRITES and not one.is_plain]
    if unsafe:
        rejected.append(
            f"ruff's unsafe fixes for {count_rules(unsafe)}: they ask nobody whether a value is "
            "shared, kept alive or overloaded"
        )
    outside = [one for one in request.findings if one not in within]
    if outside:
        rejected.append(f"fixing {count_rules(outside)} too: the task does not name them")
    return tuple(rejected)
