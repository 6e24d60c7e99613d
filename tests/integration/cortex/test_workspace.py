"""Workspaces on a real bus: what they start from, and what becomes of work that is cut off."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from cortex.engine.manifest import parse_manifest
from cortex.errors import ToolFailedError
from cortex.tools.contents import Contents
from cortex.tools.git_ops import GitOps
from cortex.tools.linter import Linter
from cortex.tools.repository import Repository
from cortex.tools.run_repository import open_run_repository
from cortex.tools.workspace import open_workspace
from nervous_system.changes import SYMLINK_MODE
from nervous_system.errors import ContentMissingError
from tests.support.eventually import eventually
from tests.support.repositories import UserRepository
from tests.support.servers import NatsServer
from tests.support.workbench import Workbench, open_workbench

AGENT = """
import asyncio, sys
from pathlib import Path
from tests.support.servers import NatsServer
from tests.support.workbench import open_workbench

class Server:
    url = sys.argv[1]

async def main():
    async with open_workbench(Server, Path(sys.argv[2])) as bench:
        await bench.shell().run("echo $$ > pid; sleep 600 & wait")

asyncio.run(main())
"""


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


async def test_workspace_says_what_it_starts_from(bench: Workbench) -> None:
    """Its manifest and every content in it can be had by their digests."""
    (bench.root / "a").write_bytes(b"one")
    (bench.root / "b").write_bytes(b"one")
    (bench.root / "run").write_bytes(b"#!")
    (bench.root / "run").chmod(0o755)
    (bench.root / "link").symlink_to("a")
    await bench.workspace.begin()
    receipt = await bench.workspace.announce(
        bench.recorder, bench.swarm.content, base_commit="c0ffee", parent_workspace_id="p"
    )
    (event,) = await bench.events()
    created = event.workspace_created
    assert (event.event_id, created.created_workspace_id) == (receipt.event_id, "w1")
    assert (created.base_commit, created.parent_workspace_id) == ("c0ffee", "p")
    manifest = parse_manifest(await bench.swarm.content.get(created.manifest_digest))
    assert [(one.path, one.mode) for one in manifest] == [
        (b"a", 0o644),
        (b"b", 0o644),
        (b"link", SYMLINK_MODE),
        (b"run", 0o755),
    ]
    for entry in manifest:
        content = await bench.swarm.content.get(entry.digest)
        assert sha256(content).hexdigest() == entry.digest
        assert len(content) == entry.size_bytes


async def test_changes_are_kept_while_the_bus_is_away(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    """The tools go on; everything is on the bus when it is back, in its order."""
    timeout = timedelta(milliseconds=300)
    async with open_workbench(nats_server, tmp_path, publish_timeout=timeout) as bench:
        nats_server.stop()
        await bench.files.write("a", "one")
        await bench.shell().run("echo two > b")
        nats_server.start()
        await eventually(lambda: _has_changes(bench, ["a", "b"]))
        change = (await bench.changes())[-1]
        assert await eventually(lambda: _content(bench, change.new_state_hash)) == b"two\n"


async def _content(bench: Workbench, digest: str) -> bytes | None:
    try:
        return await bench.swarm.content.get(digest)
    except ContentMissingError:
        return None


async def _has_changes(bench: Workbench, names: list[str]) -> bool:
    return [one.target_resource for one in await bench.changes()] == names


async def test_command_dies_with_its_agent(nats_server: NatsServer, tmp_path: Path) -> None:
    """Kill -9 of the agent leaves no command that goes on changing files."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", AGENT, nats_server.url, str(tmp_path)),
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=PIPE,
        stderr=PIPE,
    )
    pid_file = tmp_path / "root" / "pid"
    await eventually(lambda: os.path.exists(pid_file) and os.path.getsize(pid_file))
    process.send_signal(signal.SIGKILL)
    await process.communicate()
    pid = int(pid_file.read_text())
    await eventually(lambda: not is_running(pid))


async def test_damaged_content_on_this_machine_is_an_error(bench: Workbench) -> None:
    """What was kept is compared with its digest before it is told to anybody."""
    await bench.files.write("a", "one")
    entry = bench.workspace.manifest[b"a"]
    bench.workspace.contents.path(entry.digest).write_text("damaged")
    with pytest.raises(ToolFailedError, match="is damaged"):
        await bench.files.delete("a")


async def test_two_workspaces_keep_their_changes_apart(bench: Workbench, tmp_path: Path) -> None:
    """The same name in two work trees is two resources."""
    (tmp_path / "other").mkdir()
    other = await open_workspace(tmp_path / "other", "w2", Contents(tmp_path / "c"))
    first = Workbench(bench.swarm, bench.recorder, bench.workspace)
    second = Workbench(bench.swarm, bench.recorder, other)
    await asyncio.gather(first.files.write("a", "1"), second.files.write("a", "2"))
    told = [one for one in await bench.events() if one.HasField("state_change")]
    assert sorted(one.workspace_id for one in told) == ["w1", "w2"]


async def test_linter_finds_and_changes_nothing(bench: Workbench) -> None:
    """Whatever the repository's configuration asks it to do, and whatever lies about."""
    await bench.files.write("pyproject.toml", "[tool.ruff]\nfix = true\nunsafe-fixes = true\n")
    await bench.files.write("a.py", "import os\n")
    await bench.files.write("bad.py", "def (\n")
    await bench.files.write("ruff.py", "open('owned', 'w')\n")
    found = await Linter(bench.shell()).check()
    assert ("a.py", "F401") in [(one.path, one.rule) for one in found]
    assert ("bad.py", "invalid-syntax") in [(one.path, one.rule) for one in found]
    assert (bench.root / "a.py").read_text() == "import os\n"
    assert sorted(os.listdir(bench.root)) == ["a.py", "bad.py", "pyproject.toml", "ruff.py"]
    assert (await bench.calls())[-1].tool_outcome == "ok"


async def test_linter_that_cannot_run_says_why(bench: Workbench) -> None:
    """A configuration that is wrong is told in the linter's words."""
    await bench.files.write("ruff.toml", "no-such-setting = 1\n")
    with pytest.raises(ToolFailedError, match="no-such-setting"):
        await Linter(bench.shell()).check()


async def test_git_calls_are_events(bench: Workbench, tmp_path: Path) -> None:
    """Work tree, commit, the branch's moves and the hand-over can be read on the bus."""
    user = UserRepository(tmp_path / "user")
    user.commit({"a.txt": "one\n"})
    run = await open_run_repository(await Repository.open(user.root), tmp_path / "run", "r1")
    git = GitOps(run, bench.recorder)
    one, two = [await git.add_work_tree(name) for name in ("coder-1", "coder-2")]
    commits = []
    for tree in (one, two):
        (tree.root / "a.txt").write_text(f"{tree.name}\n")
        commits.append(await git.commit(tree, "Change", event_ids=bench.recorder.event_ids))
    assert await git.advance(commits[0] or "", run.facts.base_commit)
    assert not await git.advance(commits[1] or "", run.facts.base_commit)
    await git.publish()
    calls = [(one.tool_name, one.tool_outcome) for one in await bench.calls()]
    assert calls == [
        *[("git_work_tree", "ok")] * 2,
        *[("git_commit", "ok")] * 2,
        ("git_advance", "ok"),
        ("git_advance", "failed"),
        ("git_publish", "ok"),
    ]
    assert (await bench.calls())[-2].tool_result == "the branch has moved on"
