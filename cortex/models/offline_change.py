"""The offline model's changes: rewrites are tried, linted, and kept only if they help."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cortex.models.offline_plan import count_rules
from cortex.models.offline_rules.edits import Done, Refused
from cortex.models.offline_rules.rewriting import REWRITES, rewrite_rule
from cortex.models.offline_rules.source import Source, UnreadableSourceError, parse_source
from cortex.models.offline_rules.succession import SUCCESSORS, new_findings, succeeding
from cortex.models.offline_rules.surroundings import Neighbourhood, Surroundings
from cortex.models.port import ChangeRequest, ChangeSet, FileEdit, Finding
from cortex.models.ruff import SourceLinter

RISK = ("B006", "E722", "F841", "E712", "E711", "PLW1514")
"""The rules whose rewrites can change what a program does, riskiest first."""
_MAX_ROUNDS = 3
_CASCADING = {"F401", "F841"}
"""What is taken out may have been the last use of something else: another finding of the rule."""


@dataclass(slots=True)
class _Work:
    """What became of one file."""

    source: Source
    text: str
    done: list[Done] = field(default_factory=list)
    fixed: list[Finding] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


async def make_changes(linter: SourceLinter, request: ChangeRequest) -> ChangeSet:
    """The edits for one planned task.

    Raises:
        ToolFailedError: the linter could not run.
    """
    dropped = rules_to_drop(request.planned.rules, len(request.refusals))
    rules = [one for one in request.planned.rules if one not in dropped]
    unresolved = [_dropped(one, request) for one in dropped]
    edits: list[FileEdit] = []
    works: list[_Work] = []
    around = await _neighbourhood(request, rules)
    for path in request.planned.paths:
        try:
            work = await _change_file(linter, request, path, rules, around)
            content = work.source.with_text(work.text).to_bytes()
        except UnreadableSourceError as error:
            unresolved.append(f"{path}: {error}")
            continue
        works.append(work)
        unresolved += work.refused
        if work.text != work.source.text:
            edits.append(FileEdit(path=path, new_content=content))
    return _change_set(request, edits, works, unresolved)


def rules_to_drop(rules: Sequence[str], refusal_count: int) -> list[str]:
    """What is given up after so many refusals: the riskiest first, at last everything."""
    risky = [one for one in RISK if one in rules]
    plain = [one for one in rules if one not in RISK]
    return [*risky, *plain][:refusal_count]


def _dropped(rule: str, request: ChangeRequest) -> str:
    return f"{rule}: given up, since an attempt with it was sent back: {request.refusals[-1]}"


async def _neighbourhood(request: ChangeRequest, rules: Sequence[str]) -> Neighbourhood:
    """Return what the files say of each other; only unused imports ask for the code of others.

    Between two files others have their turn. Threads would not do: where several parse at once,
    Python 3.11 may fail with a SystemError.
    """
    files = {**request.context, **request.contents}
    found = Neighbourhood(files.get("pyproject.toml", b""))
    if "F401" in rules:
        for path in filter(_is_python, files):
            found.add(path, files[path])
            await asyncio.sleep(0)
    return found


def _is_python(path: str) -> bool:
    return path.endswith(".py")


async def _change_file(
    linter: SourceLinter,
    request: ChangeRequest,
    path: str,
    rules: Sequence[str],
    around: Neighbourhood,
) -> _Work:
    if path not in request.contents:
        raise UnreadableSourceError(reason="it is not there any more")
    source = parse_source(request.contents[path])
    work = _Work(source, source.text)
    file = _File(linter, request.root, path, around.around(path))
    await file.start(source.text)
    fixes = [one for one in rules if one not in REWRITES]
    if fixes:
        await file.apply_fixes(work, fixes)
    for rule in REWRITES:
        if rule in rules:
            await file.apply_rewrites(work, rule)
    if SUCCESSORS.keys() & set(rules):
        await file.name_successors(work)
    return work


class _File:
    """One file under work: its linter, and what it reported at the start."""

    def __init__(self, linter: SourceLinter, root: Path, path: str, around: Surroundings) -> None:
        self._linter = linter
        self._root = root
        self._path = path
        self._around = around
        self._before: Counter[str] = Counter()

    async def start(self, text: str) -> None:
        self._before = Counter(one.rule for one in await self._check(text, None))

    async def apply_fixes(self, work: _Work, rules: Sequence[str]) -> None:
        """The linter's own safe fixes."""
        before = await self._check(work.text, rules)
        text = await self._linter.fix(self._root, self._path, work.text, rules)
        after = await self._check(text, rules)
        left = Counter(one.rule for one in after)
        if text != work.text:
            harm = await self._harm(text)
            if harm:
                work.refused.append(f"{self._path}: the safe fixes of {', '.join(rules)}: {harm}")
                return
        work.text = text
        for one in before:
            if left[one.rule]:
                left[one.rule] -= 1
            else:
                work.fixed.append(one)
        work.refused += [_unresolved(one, "ruff has no safe fix for it") for one in after]

    async def apply_rewrites(self, work: _Work, rule: str) -> None:
        """Our own rewrites of one rule: all at once, and one by one where that does harm."""
        refused: dict[tuple[int, int], Refused] = {}
        findings = await self._check(work.text, [rule])
        for _ in range(_MAX_ROUNDS):
            result = rewrite_rule(work.text, rule, findings, self._around)
            refused = {(one.finding.row, one.finding.column): one for one in result.refused}
            if not result.done:
                break
            left = await self._check(result.text, [rule])
            if await self._harm(result.text) or _is_in_vain(rule, findings, left, result.done):
                await self._one_by_one(work, rule, findings)
                return
            work.text = result.text
            work.done += result.done
            findings = left
        work.refused += [_unresolved(one.finding, one.reason) for one in refused.values()]

    async def _one_by_one(self, work: _Work, rule: str, findings: Sequence[Finding]) -> None:
        """From the end of the file on, so that what is still to come keeps its place."""
        present: Sequence[Finding] = findings
        for finding in sorted(findings, key=lambda one: (one.row, one.column), reverse=True):
            result = rewrite_rule(work.text, rule, [finding], self._around)
            harm = await self._harm(result.text) if result.done else result.refused[0].reason
            left = present if harm else await self._check(result.text, [rule])
            if not harm and _is_in_vain(rule, present, left, result.done):
                harm = "the linter would report it as before"
            if harm:
                work.refused.append(_unresolved(finding, harm))
                continue
            work.text, present = result.text, left
            work.done += result.done

    async def _harm(self, text: str) -> str:
        """Which findings a text has that the file did not have; empty: none."""
        now = Counter(one.rule for one in await self._check(text, None))
        new = sorted(new_findings(self._before, now))
        return f"it would bring {', '.join(new)}" if new else ""

    async def name_successors(self, work: _Work) -> None:
        """Say which findings took the place of others."""
        now = Counter(one.rule for one in await self._check(work.text, None))
        for rule, count in succeeding(self._before, now).items():
            work.refused.append(
                f"{self._path}: {rule} ({count}): takes the place of a worse finding; which errors "
                "are meant cannot be told from the source"
            )

    async def _check(self, text: str, rules: Sequence[str] | None) -> tuple[Finding, ...]:
        return await self._linter.check(self._root, self._path, text, rules)


def _is_in_vain(
    rule: str, before: Sequence[Finding], after: Sequence[Finding], done: Sequence[Done]
) -> bool:
    """Whether the linter still reports what was rewritten."""
    return rule not in _CASCADING and len(after) > len(before) - len(done)


def _unresolved(finding: Finding, reason: str) -> str:
    return f"{finding.path}:{finding.row}: {finding.rule}: {reason}"


def _change_set(
    request: ChangeRequest,
    edits: Sequence[FileEdit],
    works: Sequence[_Work],
    unresolved: Sequence[str],
) -> ChangeSet:
    done = [one for work in works for one in work.done]
    fixed = [one for work in works for one in work.fixed]
    resolved = len(done) + len(fixed)
    asked = resolved + len(unresolved)
    return ChangeSet(
        edits=tuple(edits),
        rationale=_rationale(request, done, fixed, unresolved),
        rejected_alternatives=_rejected(done),
        unresolved=tuple(unresolved),
        confidence=round(resolved / asked, 2) if asked else 1.0,
    )


def _rejected(done: Sequence[Done]) -> tuple[str, ...]:
    """The ways that were open and not taken, each with the places that it was open for."""
    places: dict[tuple[str, str], list[str]] = {}
    for one in done:
        at = f"{one.finding.path}:{one.finding.row}"
        places.setdefault((one.finding.rule, one.rejected), []).append(at)
    return tuple(
        f"{rule} ({', '.join(at)}): {rejected}"
        for (rule, rejected), at in places.items()
        if rejected
    )


def _rationale(
    request: ChangeRequest,
    done: Sequence[Done],
    fixed: Sequence[Finding],
    unresolved: Sequence[str],
) -> str:
    said = []
    ways: dict[str, list[Finding]] = {}
    for one in done:
        ways.setdefault(one.how, []).append(one.finding)
    for how, findings in ways.items():
        lines = ", ".join(f"{one.path}:{one.row}" for one in findings)
        said.append(f"{count_rules(findings)}: {how} ({lines})")
    if fixed:
        said.append(f"{count_rules(fixed)}: ruff's safe fixes")
    if not said:
        said.append(f"nothing of {', '.join(request.planned.rules)} could be resolved")
    if unresolved:
        said.append(f"left, with reasons: {len(unresolved)}")
    if request.refusals:
        said.append(f"after {len(request.refusals)} refusals")
    return "; ".join(said)
