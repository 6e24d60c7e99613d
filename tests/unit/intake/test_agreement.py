from typing import Any

from infrastructure.intake.hooks.agreement import compare


def row(what: str, item: str, *sources: str, answered: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"what": what, "item": item, "shown": "x", "sources": sources, "answered": answered}


def test_sources_that_saw_the_same_agree() -> None:
    both = ("hook", "transcript")
    found = compare(both, [row("tool_call", "t1", *both, answered=both)])
    assert found.is_complete
    assert found.counts == {"tool_call": {"hook": 1, "transcript": 1}}


def test_what_one_source_alone_saw_is_said() -> None:
    both = ("hook", "transcript")
    found = compare(both, [row("tool_call", "t1", "hook"), row("prompt", "p", "transcript")])
    assert [(one.what, one.item, list(one.seen_by)) for one in found.differences] == [
        ("tool_call", "t1", ["hook"]),
        ("prompt", "p", ["transcript"]),
    ]


def test_an_answer_that_one_source_alone_saw_is_said() -> None:
    both = ("hook", "transcript")
    found = compare(both, [row("tool_call", "t1", *both, answered=("", "transcript"))])
    assert [(one.what, list(one.seen_by)) for one in found.differences] == [
        ("answer", ["transcript"])
    ]


def test_a_type_that_no_reader_knows_is_always_said() -> None:
    found = compare(["hook"], [row("unknown type", "hook unknown:X", "hook")])
    assert not found.is_complete
