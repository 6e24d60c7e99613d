"""A run scrubbed through, and its graph, in a real browser."""

import asyncio
import hashlib
from collections.abc import Iterator

import pytest

from cortex.cli.bench.corpus import Made
from cortex.cli.bench.load import load
from nervous_system import events
from nervous_system.schemas import AgentRole, SwarmEvent
from nervous_system.subjects import subject_for
from tests.support.browser import Page
from tests.support.publishing import decided, publish
from tests.support.stacks import Stack
from tests.web.support import OpenPage, log_texts, path_of

SLIDER = "[role=slider]"
FILES = ".tree-line"
GRAPH = "[role=application]"
RUN = "r-past"
AGENT = "coder-past"
LINES = 3
"""Each decision changes a file of its own."""
FIRST_NODE = (152, 50)
"""Where the first event of the first lane is drawn, pixels from the corner of the graph."""
MANY_RUN = "r-many"
MANY = 5_000


@pytest.fixture(scope="module")
def past(swarm: Stack) -> Stack:
    """A run of three decisions, each of which leads to a change."""
    published = [event for number in range(LINES) for event in _step(number)]
    publish(swarm.record["nats_url"], published)
    _await_history(swarm, RUN, len(published))
    return swarm


def test_a_scrubbed_moment_shows_log_board_and_files_of_then(
    past: Stack, open_page: OpenPage
) -> None:
    page = _replayed(open_page)
    _scrub(page, "Home", "ArrowRight", "ArrowRight")
    page.until(["file0.py"], _files)
    page.wait('.agent-card:has-text("step 1")')
    assert [text for text in log_texts(page) if "step 2" in text] == []
    _scrub(page, "End")
    page.until(["file0.py", "file1.py", "file2.py"], _files)


def test_a_link_shows_the_same_moment(past: Stack, open_page: OpenPage) -> None:
    page = _replayed(open_page)
    _scrub(page, "Home", "ArrowRight")
    page.until(True, lambda one: "at=" in one.url)
    again = open_page(path_of(page.url))
    again.wait(f"{SLIDER}[aria-valuenow='2']")
    again.until(["file0.py"], _files)


def test_playing_goes_to_the_end_and_stops(past: Stack, open_page: OpenPage) -> None:
    page = _replayed(open_page)
    page.click("role=button[name='Max']")
    _scrub(page, "Home", " ")
    page.wait("role=button[name='Pause']")
    page.wait("role=button[name='Play']")
    assert page.attribute(SLIDER, "aria-valuenow") == page.attribute(SLIDER, "aria-valuemax")


def test_back_to_now_shows_what_happens_again(past: Stack, open_page: OpenPage) -> None:
    page = _replayed(open_page)
    _scrub(page, "Home")
    page.wait(".swarm-page[data-past]")
    page.click("role=button[name='Live']")
    page.wait(".swarm-page[data-past]", "detached")
    publish(past.record["nats_url"], [decided("after the scrubbing", AGENT, run=RUN)])
    page.wait('.log-row:has-text("after the scrubbing")')


def test_restore_here_shows_a_command_that_restores(past: Stack, open_page: OpenPage) -> None:
    page = _replayed(open_page)
    _scrub(page, "Home", "ArrowRight")
    page.click("role=button[name='Restore here']")
    [command] = page.texts(".restore-notice code")
    arguments = command.replace("'", "").split()[1:]
    restored = past.swarm(*arguments[:-1], str(past.root.parent / "restored"), expected=None)
    # Nobody stored these contents: the command is right when that is all it complains about.
    assert "file0.py" in restored.stderr + restored.stdout


def test_the_graph_leads_from_a_node_to_its_event_and_trace(
    past: Stack, open_page: OpenPage
) -> None:
    page = open_page(f"/?run={RUN}")
    page.wait('.log-row:has-text("file2.py")')
    page.focus(GRAPH)
    page.press("Home")
    page.press("e")
    page.wait(".trace-graph-chosen:has-text('1 cause, 0 effects')")
    diff = page.attribute(".trace-graph-links a:has-text('Diff')", "href") or ""
    assert "file0.py" in diff
    assert (page.attribute(".trace-graph-links a:has-text('Trace')", "href") or "").startswith(
        "/debug/" + "7" * 32
    )
    page.click(".trace-graph-links a:has-text('Event')")
    page.wait(".event-panel:has-text('file0.py')")
    assert "event=" in page.url


def test_the_pointer_chooses_a_node(past: Stack, open_page: OpenPage) -> None:
    page = open_page(f"/?run={RUN}")
    page.wait('.log-row:has-text("file2.py")')
    page.focus(GRAPH)
    page.press("ArrowLeft")
    page.press("Escape")
    page.wait("text=Choose an event to see what led to it")
    left, top = page.evaluate(
        f"(() => {{ const box = document.querySelector('{GRAPH}').getBoundingClientRect();"
        "return [box.left, box.top]; })()"
    )
    page.browser.call(page.name, "mouse", "click", left + FIRST_NODE[0], top + FIRST_NODE[1])
    page.wait(".trace-graph-chosen:has-text('coder-past')")


def test_thousands_of_nodes_are_drawn_and_walked(swarm: Stack, open_page: OpenPage) -> None:
    page = open_page(f"/?run={MANY_RUN}")
    page.wait("text=Live")
    published = [decided(f"n {n}", f"coder-{n % 20}", run=MANY_RUN) for n in range(MANY)]
    asyncio.run(load(swarm.record["nats_url"], [_made(event) for event in published]))
    page.wait(f'.log-row:has-text("n {MANY - 1}")')
    page.click("role=button[name='Show all']")
    page.focus(GRAPH)
    page.press("ArrowLeft")
    page.wait(".trace-graph-chosen:has-text('coder-19')")
    page.click("role=button[name='Tables']")
    page.wait("role=table[name='Agents']")
    page.until(MANY, _events_in_table)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_past_moment_is_usable_by_everyone(past: Stack, open_page: OpenPage, scheme: str) -> None:
    page = _replayed(open_page, scheme=scheme)
    _scrub(page, "Home", "ArrowRight")
    page.click("role=button[name='Restore here']")
    page.wait(FILES)
    assert page.serious_barriers() == []
    page.viewport(360, 800)
    assert not page.is_wider_than_window()


def _events_in_table(page: Page) -> int:
    counts = page.texts("table:has(caption:text-is('Agents')) tbody td:nth-child(3)")
    return sum(int(count) for count in counts)


def _made(event: SwarmEvent) -> Made:
    subject = subject_for(event.agent_role, "decision", event.agent_id)
    return Made(subject=subject, event_id=event.event_id, payload=event.SerializeToString())


def _replayed(open_page: OpenPage, **options: object) -> Page:
    page = open_page(f"/?run={RUN}", **options)
    page.click("role=button[name=/^Replay/]")
    page.wait(SLIDER)
    return page


def _scrub(page: Page, *keys: str) -> None:
    page.focus(SLIDER)
    for key in keys:
        page.press(key)


def _files(page: Page) -> list[str]:
    return [text.split("\n")[0] for text in page.texts(FILES) if ".py" in text]


def _step(number: int) -> Iterator[SwarmEvent]:
    decision = decided(f"step {number}", AGENT, run=RUN)
    yield decision
    change = events.state_change(
        target_type="FILE_SYSTEM",
        target_resource=f"file{number}.py",
        previous_state_hash="",
        new_state_hash=hashlib.sha256(str(number).encode()).hexdigest(),
    )
    yield events.build(
        change,
        role=AgentRole.ROLE_CODER,
        agent_id=AGENT,
        run_id=RUN,
        trace_id="7" * 32,
        span_id="7" * 16,
        caused_by=[decision.event_id],
    )


def _await_history(swarm: Stack, run: str, count: int) -> None:
    query = f"select count() as n from swarm.events where run_id = '{run}'"
    assert int(swarm.sql(query)[0]["n"]) >= count
