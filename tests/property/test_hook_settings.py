"""Changes to settings: nothing but what is ours is ever touched."""

import json

from hypothesis import given
from hypothesis import strategies as st

from infrastructure.intake.gate.answers import CLAUDE_CODE
from infrastructure.intake.hooks.json_text import insert_last, members_at, remove, root
from infrastructure.intake.hooks.settings import Handler, hooks_of, with_hooks, without_hooks

HANDLER = Handler(harness=CLAUDE_CODE, python="/py", script="/x/intake/hooks/command.py", home="/h")
names = st.text(max_size=4).filter(lambda name: name != "hooks")
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=6)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=3)),
    max_leaves=8,
)
groups = st.lists(
    st.fixed_dictionaries(
        {"hooks": st.lists(st.fixed_dictionaries({"command": st.text(max_size=5)}), min_size=1)}
    ),
    min_size=1,
    max_size=2,
)
hooks = st.dictionaries(st.sampled_from(["PreToolUse", "Stop", "Other"]), groups, min_size=1)
settings = st.builds(
    lambda members, theirs: {**members, **({"hooks": theirs} if theirs else {})},
    st.dictionaries(names, values, max_size=4),
    st.one_of(st.none(), hooks),
)
layouts = st.sampled_from([None, 2, 4, "\t"])


@given(settings, layouts, st.booleans())
def test_in_and_out_again_gives_the_same_text(
    value: dict[str, object], layout: int | str | None, is_ascii: bool
) -> None:
    text = json.dumps(value, indent=layout, ensure_ascii=is_ascii)
    changed = with_hooks(text, HANDLER, "p")
    assert len(hooks_of(changed, "p")) == 11
    assert without_hooks(changed, "p") == text
    kept = json.loads(changed)
    kept.pop("hooks")
    assert kept == {name: one for name, one in value.items() if name != "hooks"}


@given(st.dictionaries(names, values, min_size=1, max_size=4), layouts, st.data())
def test_removing_a_member_leaves_the_others(
    value: dict[str, object], layout: int | str | None, data: st.DataObject
) -> None:
    text = json.dumps(value, indent=layout)
    number = data.draw(st.integers(0, len(value) - 1))
    gone = list(value)[number]
    left = json.loads(remove(text, root(text), number))
    assert left == {name: one for name, one in value.items() if name != gone}


@given(st.dictionaries(names, values, max_size=4), layouts, values)
def test_inserting_a_member_adds_it_at_the_end(
    value: dict[str, object], layout: int | str | None, new: object
) -> None:
    text = insert_last(json.dumps(value, indent=layout), 0, new, "brand new")
    assert list(json.loads(text).items()) == [*value.items(), ("brand new", new)]
    assert [one.name for one in members_at(text, 0)] == [*value, "brand new"]
