"""The pages of runs, traces, files, SQL and health, on a job that was really done."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

import pytest

from tests.support.browser import Browser
from tests.support.jobs import harbour
from tests.support.publishing import decided, publish
from tests.support.stacks import Stack, running_stack
from tests.web.conftest import dashboard, well_behaved_pages
from tests.web.support import OpenPage

CHANGED = "harbour/ledger.py"
FAILED = "role=alert"
DIFF = "role=region[name='Comparison']"
NARROW = (360, 740)


@dataclass(frozen=True, slots=True)
class Done:
    """A run that has ended, and the stack that remembers it."""

    stack: Stack
    run_id: str
    trace_id: str

    def ask(self, query: str) -> str:
        """Return the only value of a query."""
        [row] = self.stack.json("sql", query)
        return str(next(iter(row.values())))


@pytest.fixture(scope="module")
def done(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Done]:
    folder = tmp_path_factory.mktemp("pages")
    user = harbour(folder / "harbour")
    with running_stack(folder / "home") as stack:
        task = ("run", "fix all lint findings", "--repo", str(user.root), "--no-tests")
        run_id = stack.json(*task)["run_id"]
        asked = "select trace_id from swarm.decisions where agent_role = 'ARCHITECT' limit 1"
        [row] = stack.json("sql", asked)
        yield Done(stack, run_id, row["trace_id"])


@pytest.fixture
def open_done(browser: Browser, done: Done) -> Iterator[OpenPage]:
    with well_behaved_pages(browser, done.stack) as opened:
        yield opened


def test_the_list_of_runs_leads_to_a_run(done: Done, open_done: OpenPage) -> None:
    page = open_done("/runs")
    page.click(f'a:has-text("{done.run_id}")')
    page.wait("text=What came of it")
    assert page.url.endswith(f"/runs/{done.run_id}")


def test_a_run_shows_what_was_accepted_and_what_was_refused(
    done: Done, open_done: OpenPage
) -> None:
    page = open_done(f"/runs/{done.run_id}")
    page.wait(f'.run-outcome li:has-text("accepted"):has-text("{CHANGED}")')
    page.wait('.run-outcome li:has-text("refused"):has-text("no safe fix is known")')
    page.wait('.run-outcome li:has-text("refused"):has-text("may be 1 or 0")')
    page.wait('.task-column:has-text("Done"):has-text("F401")')


def test_workspaces_are_called_by_their_task_and_agent(done: Done, open_done: OpenPage) -> None:
    page = open_done(f"/runs/{done.run_id}?tab=files")
    page.wait(".run-files-choice select")
    names = page.texts(".run-files-choice option")
    assert names[0] == "The run's branch"
    assert any(name.endswith(": F401 unused-import in 5 files") for name in names)
    assert "reviewer-1: review of F401 unused-import in 5 files" in names


def test_files_bar_nobody_on_a_wide_screen(done: Done, open_done: OpenPage) -> None:
    page = open_done(f"/runs/{done.run_id}?tab=files&file={quote(CHANGED)}&line=18")
    page.wait('.why-panel:has-text("Decided by")')
    assert page.serious_barriers() == []


def test_a_task_opens_beside_the_plan_and_the_address_says_so(
    done: Done, open_done: OpenPage
) -> None:
    page = open_done(f"/runs/{done.run_id}?tab=plan")
    page.click('.plan-node:has-text("harbour/tides.py")')
    page.wait('role=complementary[name="Task"]')
    again = open_done(f"/runs/{done.run_id}?{page.url.partition('?')[2]}")
    again.wait('.task-panel:has-text("harbour/tides.py")')


def test_a_file_is_compared_between_any_two_of_its_moments(done: Done, open_done: OpenPage) -> None:
    page = open_done(f"/runs/{done.run_id}?tab=files")
    page.click(f"role=treeitem[name=/{CHANGED.rpartition('/')[2]}/]")
    page.wait(f'{DIFF} >> [data-sign="added"]:has-text("encoding=")')
    page.select(".resource-view-choice:has-text('From') select", "start")
    page.wait(f'{DIFF} >> [data-sign="removed"]:has-text("import")')
    page.click("role=button[name='Side by side']")
    page.wait(f'{DIFF} >> [data-layout="beside"]')
    assert "from=start" in page.url


def test_a_line_says_why_it_is_as_it_is(done: Done, open_done: OpenPage) -> None:
    place = f"/runs/{done.run_id}?tab=files&file={quote(CHANGED)}&workspace={done.run_id}"
    page = open_done(place)
    page.click(f'{DIFF} >> .state-diff-line:has-text("encoding=") >> nth=0 >> .state-diff-ask')
    page.wait('.why-panel:has-text("Decided by")')
    page.wait('.why-panel:has-text("PLW1514")')
    assert "line=" in page.url


def test_a_trace_shows_its_spans_and_the_events_in_them(done: Done, open_done: OpenPage) -> None:
    page = open_done(f"/debug/{done.trace_id}")
    page.wait("role=option[name=/invoke_agent architect/]")
    page.wait("role=option[name=/execute_tool/] >> nth=0")
    page.click('.debug-event:has-text("decision") >> nth=0')
    page.wait('role=complementary[name="Event"]')
    page.wait(".event-panel:has-text('Rejected')")
    assert "event=" in page.url


def test_spans_are_chosen_by_keys(done: Done, open_done: OpenPage) -> None:
    page = open_done(f"/debug/{done.trace_id}")
    page.wait("role=option[name=/invoke_agent architect/]")
    page.focus("role=listbox[name=/spans/]")
    page.press("ArrowDown")
    page.press("ArrowDown")
    page.wait('role=complementary[name="Span"]')
    assert "span=" in page.url


def test_what_is_no_trace_id_is_said(open_done: OpenPage) -> None:
    page = open_done("/debug/xyz")
    page.wait("text=That is not a trace id.")


def test_a_query_is_answered_as_a_table_and_a_chart(done: Done, open_done: OpenPage) -> None:
    page = open_done("/sql")
    page.fill("role=textbox[name='Query']", "select agent_id, count() from swarm.events group by 1")
    page.press("Control+Enter")
    page.wait('.result-table td:has-text("architect-1")')
    page.wait("role=figure[name=/points/]")
    again = open_done(f"/sql?{page.url.partition('?')[2]}")
    again.wait('.result-table td:has-text("architect-1")')


def test_hostile_text_in_a_result_stays_text(done: Done, open_done: OpenPage) -> None:
    hostile = "<img src=x onerror=alert(1)>\u202egnp.exe\x1b[31m"
    publish(done.stack.record["nats_url"], [decided(hostile, "coder-hostile")])
    query = "select rationale from swarm.decisions where agent_id = 'coder-hostile'"
    done.stack.json("sql", query)
    page = open_done(f"/sql?q={quote(query)}")
    page.wait('.result-table td:has-text("<img src=x onerror=alert(1)>")')
    [text] = [one for one in page.texts(".result-table td") if "img" in one]
    assert "\u202e" not in text
    assert "\x1b" not in text
    assert page.count(".result-table img") == 0


def test_health_shows_streams_processes_and_ledger(open_done: OpenPage) -> None:
    page = open_done("/health")
    page.wait("text=ENCHANTED_SWARM >> nth=0")
    page.wait('role=region[name="Processes"] >> text=history')
    page.wait('role=region[name="Ledger"] >> text=linked')


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/runs", ".runs-table"),
        ("/runs/{run}", ".task-board"),
        ("/runs/{run}?tab=plan", ".plan-graph"),
        (f"/runs/{{run}}?tab=files&file={quote(CHANGED)}&line=1", ".why-panel"),
        ("/runs/{run}?tab=cost", "text=No model was asked"),
        ("/debug/{trace}", ".waterfall-bar >> nth=0"),
        ("/sql?q=select%201", ".result-table"),
        ("/health", "role=region[name='Ledger']"),
    ],
)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_fit_a_narrow_screen_and_bar_nobody(
    path: str, shown: str, scheme: str, done: Done, open_done: OpenPage
) -> None:
    width, height = NARROW
    address = path.format(run=done.run_id, trace=done.trace_id)
    page = open_done(address, width=width, height=height, scheme=scheme)
    page.wait(shown)
    assert (page.is_wider_than_window(), page.serious_barriers()) == (False, [])


@pytest.mark.parametrize("path", [f"/runs/{'0' * 8}", f"/debug/{'0' * 31}1"])
def test_what_is_not_there_is_said(path: str, done: Done, browser: Browser) -> None:
    """A 404 is an error on the browser's console, so this page may not be well behaved."""
    with browser.page() as page:
        page.goto(done.stack.record["dashboard_url"])
        page.goto(dashboard(done.stack) + path)
        page.wait(FAILED)
