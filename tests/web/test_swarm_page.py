"""The page of the swarm, live, in a real browser."""

from nervous_system.schemas import AgentRole
from tests.support.browser import Page
from tests.support.publishing import decided, publish, signalled
from tests.support.stacks import Stack
from tests.web.support import OpenPage, log_texts, path_of

LIVE = "text=Live"
ROWS = ".log-row"
CARDS = ".agent-card"


def test_what_is_published_appears_at_once(swarm: Stack, open_page: OpenPage) -> None:
    page = open_page()
    page.wait(LIVE)
    publish(swarm.record["nats_url"], [decided("the tide turns", agent="coder-live")])
    page.wait(f'{ROWS}:has-text("the tide turns")')
    page.wait(f'{CARDS}:has-text("coder-live"):has-text("the tide turns")')


def test_an_agent_that_failed_stands_first_and_says_why(open_page: OpenPage) -> None:
    page = open_page()
    page.wait(f'{CARDS}:has-text("coder-2")')
    first = page.texts(CARDS)[0]
    assert "coder-2" in first
    assert "failed" in first
    assert "the provider answered 529" in first


def test_an_agent_s_card_shows_its_cpu_and_memory(open_page: OpenPage) -> None:
    page = open_page()
    page.wait(f'{CARDS}:has-text("coder-2"):has-text("12 %"):has-text("64 MB")')


def test_a_filter_is_in_the_address_so_that_a_link_shows_the_same(
    swarm: Stack, open_page: OpenPage
) -> None:
    kept = decided("kept by the filter", "architect-9", AgentRole.ROLE_ARCHITECT)
    publish(swarm.record["nats_url"], [kept, decided("left out by the filter")])
    page = open_page()
    page.wait(f'{ROWS}:has-text("left out by the filter")')
    page.select("role=combobox[name='Role']", "ARCHITECT")
    page.wait(f'{ROWS}:has-text("left out by the filter")', "detached")
    again = open_page(path_of(page.url))
    again.wait(f'{ROWS}:has-text("kept by the filter")')
    assert "role=architect" in again.url
    assert not [text for text in log_texts(again) if "left out" in text]


def test_text_is_looked_for_in_history_too(swarm: Stack, open_page: OpenPage) -> None:
    publish(swarm.record["nats_url"], [decided("needle in the hay")])
    page = open_page()
    page.wait(LIVE)
    page.fill("role=searchbox[name='Text in events']", "NEEDLE")
    page.until(1, lambda one: one.count(ROWS))
    assert "q=NEEDLE" in page.url


def test_a_line_opens_its_event_with_everything_about_it(swarm: Stack, open_page: OpenPage) -> None:
    event = decided("opened by a click")
    publish(swarm.record["nats_url"], [event])
    page = open_page()
    page.click(f'{ROWS}:has-text("opened by a click")')
    page.wait('.event-panel:has-text("leave it as it is")')
    page.wait(".event-identity:has-text('Ledger')", "attached")
    assert f"event={event.event_id}" in page.url
    page.press("Escape")
    page.wait(".event-panel", "detached")


def test_the_log_is_used_by_keyboard(swarm: Stack, open_page: OpenPage) -> None:
    publish(swarm.record["nats_url"], [decided("before the last"), decided("the last line")])
    page = open_page()
    page.wait(f'{ROWS}:has-text("the last line")')
    page.focus("role=listbox[name='Events']")
    page.press("ArrowUp")
    page.press("Enter")
    page.wait('.event-panel:has-text("before the last")')


def test_a_pause_holds_the_log_until_one_jumps_to_now(swarm: Stack, open_page: OpenPage) -> None:
    page = open_page()
    page.wait(ROWS)
    page.click("role=button[name='Pause']")
    publish(swarm.record["nats_url"], [decided("while it was held")])
    page.wait("role=button[name='Jump to now (1 new)']")
    assert not [text for text in log_texts(page) if "while it was held" in text]
    page.click("role=button[name='Jump to now (1 new)']")
    page.wait(f'{ROWS}:has-text("while it was held")')


def test_scrolling_up_holds_the_log_too(swarm: Stack, open_page: OpenPage) -> None:
    publish(swarm.record["nats_url"], [decided(f"line {number}") for number in range(60)])
    page = open_page()
    page.wait(f'{ROWS}:has-text("line 59")')
    page.wheel(".log-stream", -400)
    page.wait("role=button[name=/Jump to now/]")
    page.wheel(".log-stream", 4_000)
    page.wait("role=button[name=/Jump to now/]", "detached")


def test_a_card_chooses_its_agent(swarm: Stack, open_page: OpenPage) -> None:
    publish(swarm.record["nats_url"], [signalled("HEALTHY", "coder-chosen")])
    page = open_page()
    page.click(f'{CARDS}:has-text("coder-chosen")')
    page.until(True, _shows_only_the_chosen)
    assert "agent=coder-chosen" in page.url


def _shows_only_the_chosen(page: Page) -> bool:
    texts = log_texts(page)
    return bool(texts) and all("coder-chosen" in text for text in texts)
