"""The gate: first match wins, allowing never reaches further than what it names."""

from hypothesis import given
from hypothesis import strategies as st

from infrastructure.intake.gate.rules import (
    NO_RULE,
    Policy,
    Rule,
    Use,
    compile_pattern,
    decide,
)

names = st.sampled_from(["Bash", "Edit", "Read", "mcp__a__b"])
patterns = st.sampled_from(["Bash", "E*", "*", "mcp__*", "re:^R", "?ash"]).map(compile_pattern)
places = st.sampled_from(["/w/src/a", "/w/b", "/etc/x", "src/a"]).map(lambda one: (one,))
files = st.lists(st.lists(places, min_size=1, max_size=2).map(tuple), max_size=3).map(tuple)
path_patterns = st.sampled_from(["/w/src/**", "/w/*", "**", "src/*"]).map(
    lambda one: compile_pattern(one, is_path=True)
)
actions = st.sampled_from(["allow", "deny", "ask"])
rules = st.builds(
    Rule,
    line=st.integers(1, 99),
    action=actions,
    tools=st.lists(patterns, max_size=2).map(tuple),
    paths=st.lists(path_patterns, max_size=2).map(tuple),
)
policies = st.builds(Policy, rules=st.lists(rules, max_size=5).map(tuple), default=actions)
uses = st.builds(
    Use,
    tool=names,
    arguments=st.dictionaries(st.sampled_from(["command", "x"]), st.text(max_size=5), max_size=2),
    files=files,
)


@given(policies, uses)
def test_a_verdict_is_that_of_a_rule_that_fits_alone_and_of_none_before(
    policy: Policy, use: Use
) -> None:
    verdict = decide(policy, use)
    alone = [decide(Policy(rules=(rule,)), use).rule != NO_RULE for rule in policy.rules]
    first = next((number for number, fits in enumerate(alone, start=1) if fits), NO_RULE)
    assert verdict.rule == first
    assert verdict.action == (policy.rules[first - 1].action if first else policy.default)


@given(policies, uses, rules)
def test_a_rule_behind_one_that_fits_changes_nothing(policy: Policy, use: Use, rule: Rule) -> None:
    verdict = decide(policy, use)
    longer = Policy(rules=(*policy.rules, rule), default=policy.default)
    assert verdict.rule == NO_RULE or decide(longer, use) == verdict


@given(rules, uses, files)
def test_another_file_never_makes_a_tool_allowed(rule: Rule, use: Use, more: tuple) -> None:  # type: ignore[type-arg]
    policy = Policy(rules=(rule,), default="deny")
    wider = Use(tool=use.tool, arguments=use.arguments, files=(*use.files, *more))
    if use.files and decide(policy, use).action == "deny" and rule.action == "allow":
        assert decide(policy, wider).action == "deny"


@given(rules, uses, files)
def test_another_file_never_makes_a_denied_tool_pass(rule: Rule, use: Use, more: tuple) -> None:  # type: ignore[type-arg]
    policy = Policy(rules=(rule,), default="allow")
    wider = Use(tool=use.tool, arguments=use.arguments, files=(*use.files, *more))
    if rule.action == "deny" and decide(policy, use).action == "deny":
        assert decide(policy, wider).action == "deny"


@given(st.text(max_size=20))
def test_a_text_without_wildcards_fits_itself_alone(text: str) -> None:
    pattern = compile_pattern(text.replace("*", "").replace("?", "").removeprefix("re:"))
    assert pattern.fits(pattern.text)
    assert not pattern.fits(pattern.text + "x")
