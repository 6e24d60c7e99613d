"""The same filter, live and in history."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import typer

from cortex.cli.event_view import view_of_event
from cortex.cli.filters import EventFilter, build_filter, takes_filter
from nervous_system.schemas import AgentRole
from tests.support.builders import build_event, build_state_change

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
AT_NS = int(AT.timestamp()) * 10**9


def seen() -> dict[str, Any]:
    event = build_event(
        build_state_change("src/a.py"), at=AT, role=AgentRole.ROLE_REVIEWER, agent_id="r-1"
    )
    return view_of_event(event, stream="S", sequence=7, subject="swarm.events.reviewer.x")


MATCHING = EventFilter(
    role="REVIEWER",
    agent="r-1",
    kind="state_change",
    run="run-1",
    trace="0af7651916cd43dd8448eb211c80319c",
    resource="src/a.py",
    since_ns=AT_NS,
    until_ns=AT_NS,
)


def test_an_event_that_is_all_that_was_asked_for_matches() -> None:
    assert MATCHING.matches(seen())
    assert EventFilter().matches(seen())


@pytest.mark.parametrize(
    "changed",
    [
        {"role": "CODER"},
        {"agent": "r"},
        {"kind": "decision"},
        {"run": "run-2"},
        {"trace": "0" * 32},
        {"resource": "src"},
        {"since_ns": AT_NS + 1},
        {"until_ns": AT_NS - 1},
    ],
)
def test_one_thing_that_differs_is_enough_not_to_match(changed: dict[str, Any]) -> None:
    assert not replace(MATCHING, **changed).matches(seen())


def test_options_become_what_history_calls_things() -> None:
    found = build_filter(role="coder", kind="Decision", trace="AB", since="1m", now_ns=AT_NS)
    assert (found.role, found.kind, found.trace) == ("CODER", "decision", "ab")
    assert found.since_ns == AT_NS - 60 * 10**9


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"role": "pilot"}, "pilot"),
        ({"kind": "thought"}, "undecodable"),
        ({"since": "yesterday"}, "yesterday"),
        ({"since": "1m", "until": "2m"}, "later than"),
    ],
)
def test_what_is_no_value_is_wrong_usage(options: dict[str, str], part: str) -> None:
    with pytest.raises(typer.BadParameter, match=part):
        build_filter(**options)  # type: ignore[arg-type] # now_ns is not among them


def test_bounds_stay_within_what_history_holds() -> None:
    parameters = EventFilter(since_ns=-(10**30), until_ns=10**30).parameters()
    assert (parameters["since_ns"], parameters["until_ns"]) == (-(2**63), 2**63 - 1)


def test_command_that_takes_a_filter_is_given_one() -> None:
    seen: list[tuple[EventFilter, int]] = []

    @takes_filter
    def listing(chosen: EventFilter, limit: int = 3) -> None:
        seen.append((chosen, limit))

    app = typer.Typer()
    app.command()(listing)
    app(["--role", "coder", "--limit", "5"], standalone_mode=False)
    assert seen == [(EventFilter(role="CODER"), 5)]
