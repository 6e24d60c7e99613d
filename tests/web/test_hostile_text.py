"""Events whose text was written to disturb whoever reads it."""

import re

from nervous_system import events
from nervous_system.schemas import AgentRole, SwarmEvent
from tests.support.publishing import decided, publish
from tests.support.stacks import Stack
from tests.web.support import OpenPage, log_texts

MEGABYTE = 1024 * 1024
HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069]")
MARKUP = "<img src=x onerror='window.isHurt=true'><script>window.isHurt=true</script>"
HOSTILE = {
    "markup": MARKUP,
    "terminal": "\x1b[31mred\x1b]0;title\x07",
    "turned": "safe \u202egnp.exe\u202c \u2066isolated\u2069",
    "unseen": "pass\u200bword\u200e\ufeff",
    "lines": "one\ntwo\r\nthree\u2028four",
}


def test_text_of_events_is_only_ever_text(swarm: Stack, open_page: OpenPage) -> None:
    named = [decided(f"{name} {text}", agent=f"h-{text}") for name, text in HOSTILE.items()]
    publish(swarm.record["nats_url"], named)
    page = open_page("/?q=markup")
    page.click(f'.log-row:has-text("markup {MARKUP[:20]}")')
    page.wait('.event-panel:has-text("onerror")')
    assert page.count(".event-panel img, .log-row img, .agent-card img") == 0
    assert page.evaluate("window.isHurt ?? false") is False


def test_what_would_hide_or_turn_text_is_shown(swarm: Stack, open_page: OpenPage) -> None:
    publish(swarm.record["nats_url"], [decided(f"seen {text}") for text in HOSTILE.values()])
    page = open_page()
    page.wait('.log-row:has-text("seen one two three")')
    shown = "".join([*log_texts(page), *page.texts(".agent-card")])
    assert HIDDEN.search(shown) is None
    assert "␛[31mred" in shown
    assert "U+202E" in shown


def test_a_megabyte_in_one_line_costs_no_more_than_a_line(
    swarm: Stack, open_page: OpenPage
) -> None:
    publish(swarm.record["nats_url"], [decided("long " + "x" * MEGABYTE)])
    page = open_page()
    page.click('.log-row:has-text("long xxx")')
    page.wait("role=button[name=/Show all 1,048,58. characters/]")
    assert max(len(text) for text in log_texts(page)) < 1_000
    assert not page.is_wider_than_window()


def test_many_alternatives_and_labels_are_shown_in_bounds(
    swarm: Stack, open_page: OpenPage
) -> None:
    publish(swarm.record["nats_url"], [_with_much_of_everything()])
    page = open_page()
    page.click('.log-row:has-text("much of everything")')
    page.wait('.event-panel:has-text("alternative 19")')
    assert not page.is_wider_than_window()


def _with_much_of_everything() -> SwarmEvent:
    payload = events.decision(
        rationale="much of everything",
        rejected_alternatives=[f"alternative {number}" for number in range(200)],
    )
    labels = {f"label {number}": "w" * 500 for number in range(50)}
    return events.build(
        payload, role=AgentRole.ROLE_CODER, agent_id="a" * 200, run_id="r" * 200, attributes=labels
    )
