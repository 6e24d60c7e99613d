"""The offline model's review: facts before and after the change, compared. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence

from cortex.models.offline_plan import count_rules
from cortex.models.offline_rules.succession import new_findings
from cortex.models.port import CheckResult, Finding, Review, ReviewRequest

_MAX_NAMES = 5
_COMPILING = "compileall"


def make_review(request: ReviewRequest) -> Review:
    """Accept only what helps and breaks nothing, as far as the checks show."""
    reasons = [*facts_against(request), *_findings(request)]
    return Review(
        accepted=not reasons,
        reasons=tuple(reasons),
        rationale=_rationale(request, reasons),
        rejected_alternatives=_rejected(request, reasons),
        confidence=_confidence(request, reasons),
    )


def facts_against(request: ReviewRequest) -> list[str]:
    """What rules a change out, whoever reviews it."""
    reasons = _outside(request)
    for check in request.checks:
        reasons += _check(check)
    if not request.changed_paths:
        reasons.append("nothing was changed")
    return reasons


def _outside(request: ReviewRequest) -> list[str]:
    outside = sorted(set(request.changed_paths) - set(request.planned.paths))
    return [f"{path} was changed, which the task does not name" for path in outside]


def _findings(request: ReviewRequest) -> list[str]:
    reasons = []
    for path in sorted({one.path for one in request.findings_after}):
        before, after = (
            Counter(one.rule for one in found if one.path == path)
            for found in (request.findings_before, request.findings_after)
        )
        for rule in sorted(new_findings(before, after)):
            said = _message(request.findings_after, path, rule)
            reasons.append(f"new finding {rule} in {path}: {said}")
    if request.planned.rules and request.changed_paths:
        asked = _asked(request, request.findings_before)
        left = _asked(request, request.findings_after)
        if len(left) >= len(asked):
            reasons.append(
                f"the findings that the task is about did not go down: {len(asked)} before, "
                f"{len(left)} after"
            )
    return reasons


def _asked(request: ReviewRequest, findings: Sequence[Finding]) -> list[Finding]:
    planned = request.planned
    return [one for one in findings if one.rule in planned.rules and one.path in planned.paths]


def _message(findings: Sequence[Finding], path: str, rule: str) -> str:
    found = [one for one in findings if (one.path, one.rule) == (path, rule)]
    return f"line {found[-1].row}: {found[-1].message}"


def _check(check: CheckResult) -> list[str]:
    if check.passed_after is None:
        if check.name == _COMPILING or check.passed_before is not None:
            return [f"{check.name} did not run after the change"]
        return []
    broken = sorted(check.failures_after - check.failures_before)
    if broken and not check.passed_after:
        return [f"{check.name}: now failing: {_names(broken)}"]
    if check.passed_after:
        return []
    is_known = bool(check.failures_before) and bool(check.failures_after)
    if check.passed_before is False and (is_known or check.name != _COMPILING):
        return []
    return [f"{check.name} fails: {_last_line(check.output)}"]


def _last_line(output: str) -> str:
    lines = [one.strip() for one in output.splitlines() if one.strip()]
    return lines[-1][:200] if lines else "it says nothing"


def _rationale(request: ReviewRequest, reasons: Sequence[str]) -> str:
    asked = _asked(request, request.findings_before)
    left = _asked(request, request.findings_after)
    said = ["sent back" if reasons else "accepted"]
    if request.planned.rules:
        said.append(
            f"of {len(asked)} findings ({count_rules(asked) or 'none'}) {len(left)} are left"
        )
    said.append(
        f"findings in the changed files: {len(request.findings_before)} before, "
        f"{len(request.findings_after)} after"
    )
    said += [_said_of(one) for one in request.checks]
    changed = _changed_lines(request.diff)
    said.append(f"{changed[0]} lines added and {changed[1]} removed")
    if not _have_tests_run(request):
        said.append("no tests ran, so what the program does was not checked")
    return "; ".join([*said, *reasons])


def _said_of(check: CheckResult) -> str:
    words = {None: "not run", True: "passed", False: "failed"}
    before = "" if check.passed_before is None else f"{words[check.passed_before]} before, "
    return f"{check.name}: {before}{words[check.passed_after]} after"


def _changed_lines(diff: str) -> tuple[int, int]:
    lines = diff.splitlines()
    added = sum(one.startswith("+") and not one.startswith("+++") for one in lines)
    return added, sum(one.startswith("-") and not one.startswith("---") for one in lines)


def _rejected(request: ReviewRequest, reasons: Sequence[str]) -> tuple[str, ...]:
    """What else could have been said of it, and the fact that speaks against that."""
    if reasons:
        return (f"accepting it for what it resolves: {reasons[0]}",)
    rejected = [
        f"sending it back for {_names(known)} in {check.name}: failing before the change, too"
        for check in request.checks
        if (known := check.failures_before & check.failures_after)
    ]
    left = _asked(request, request.findings_after)
    if left or request.unresolved:
        count = max(len(left), len(request.unresolved))
        rejected.append(f"sending it back for the {count} that are left: the coder gives reasons")
    if not _have_tests_run(request):
        rejected.append("sending it back for want of tests: the linter and compileall object not")
    return tuple(rejected) or (_without_objection(request),)


def _without_objection(request: ReviewRequest) -> str:
    gone = count_rules(_asked(request, request.findings_before)) or "no finding"
    return f"sending it back: {gone} went away, no new one came, and the tests pass"


def _have_tests_run(request: ReviewRequest) -> bool:
    return any(one.name == "tests" and one.passed_after is not None for one in request.checks)


def _names(failures: Iterable[str]) -> str:
    names = sorted(failures)
    more = f" and {len(names) - _MAX_NAMES} more" if len(names) > _MAX_NAMES else ""
    return f"{', '.join(names[:_MAX_NAMES])}{more}"


def _confidence(request: ReviewRequest, reasons: Sequence[str]) -> float:
    """1 for a refusal, which rests on facts; less for what was accepted with checks missing."""
    if reasons:
        return 1.0
    ran = {one.name for one in request.checks if one.passed_after is not None}
    return 0.5 + 0.4 * ("tests" in ran) + 0.1 * (_COMPILING in ran)
