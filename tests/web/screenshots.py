"""Makes the pictures of docs/img: `make screenshots`.

Each page as it is after the bundled job, in a real browser on a real stack. Some are taken in the
dark theme, and one on a small screen.
"""

import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from tests.support.browser import Page, missing_for_browser, running_browser
from tests.support.jobs import harbour
from tests.support.stacks import Stack, running_stack
from tests.web.conftest import dashboard

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "img"
TRACE = "select trace_id from swarm.decisions where agent_role = 'ARCHITECT' limit 1"
MOMENT = """
select stream_seq from swarm.decisions where agent_role = 'REVIEWER'
order by stream_seq desc limit 1
"""
QUERY = """select agent_id, count() as events, countIf(kind = 'decision') as decisions,
    countIf(kind = 'tool_call') as tools
from swarm.events group by agent_id order by events desc"""
SCROLL = "document.querySelector('.debug-events')?.scrollTo(0, 700)"
"""The first lines name the interpreter that the pictures were made with."""
FILE = "harbour/ledger.py"


@dataclass(frozen=True, slots=True)
class Picture:
    """A page to take a picture of."""

    name: str
    path: str
    shown: str
    """What has to be there before the picture is taken."""
    scheme: str = "light"
    size: tuple[int, int] = (1440, 900)


def pictures(run_id: str, trace_id: str, moment: str) -> tuple[Picture, ...]:
    """Return what there is to show of a run."""
    files = f"/runs/{run_id}?tab=files&workspace={run_id}&file={quote(FILE)}&line=18"
    return (
        Picture("swarm", "/", ".log-row >> nth=5"),
        Picture("swarm-dark", "/", ".log-row >> nth=5", scheme="dark"),
        Picture(
            "replay",
            f"/?run={run_id}&at={moment}&kind=decision",
            ".log-row:has-text('accept') >> nth=0",
        ),
        Picture("run", f"/runs/{run_id}", ".task-card >> nth=3"),
        Picture("plan", f"/runs/{run_id}?tab=plan", ".plan-node >> nth=3"),
        Picture("why", files, ".why-panel:has-text('Decided by')", scheme="dark"),
        Picture("trace", f"/debug/{trace_id}", ".waterfall-bar >> nth=3"),
        Picture("sql", f"/sql?q={quote(QUERY)}", ".result-chart"),
        Picture("health", "/health", "role=region[name='Ledger']"),
        Picture("small", f"/?run={run_id}", ".agent-card >> nth=0", size=(390, 844)),
    )


def take(page: Page, stack: Stack, picture: Picture) -> None:
    """Open the page, wait until it shows what it shall, and keep the picture."""
    page.goto(stack.record["dashboard_url"])
    page.goto(dashboard(stack) + picture.path)
    page.wait(picture.shown)
    page.wait(".notice-loading", "detached")
    page.evaluate(SCROLL)
    page.evaluate("document.fonts.ready.then(() => new Promise(requestAnimationFrame))")
    page.screenshot(FOLDER / f"{picture.name}.png")


def main() -> int:
    """Do the job, take the pictures; 1 where there is no browser."""
    if missing := missing_for_browser():
        print(missing, file=sys.stderr)
        return 1
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, running_browser() as browser:
        user = harbour(Path(folder) / "harbour")
        with running_stack(Path(folder) / "home") as stack:
            job = stack.json("run", "fix all lint findings", "--repo", str(user.root), "--no-tests")
            [trace] = stack.json("sql", TRACE)
            [moment] = stack.json("sql", MOMENT)
            at = f"{moment['stream_seq']}"
            for picture in pictures(job["run_id"], trace["trace_id"], at):
                width, height = picture.size
                with browser.page(width=width, height=height, scheme=picture.scheme) as page:
                    take(page, stack, picture)
                print(json.dumps({"picture": picture.name}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
