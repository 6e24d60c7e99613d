"""The supervisor with real processes: order, restarts, clean ends."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from infrastructure.errors import ChildFailedError
from infrastructure.stack.child import ChildSpec, start_child
from infrastructure.stack.leftover import end_leftovers, is_alive, mark_process
from infrastructure.stack.log_file import LogWatch, keep_log_short
from infrastructure.stack.ports import any_free_port
from infrastructure.stack.supervisor import Step, Supervisor
from tests.support import answering
from tests.support.eventually import eventually, eventually_blocking

LONG = timedelta(seconds=20)


def answering_spec(directory: Path, name: str, port: int | None = None) -> ChildSpec:
    port = port or any_free_port()
    return ChildSpec(
        name=name,
        command=(sys.executable, str(answering.__file__), str(port)),
        environment=dict(os.environ),
        log=directory / f"{name}.log",
        ready_url=f"http://127.0.0.1:{port}/",
    )


@contextlib.asynccontextmanager
async def running(supervisor: Supervisor) -> AsyncIterator[asyncio.Event]:
    """Run until the block ends; then everything has ended."""
    stop, ready = asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(supervisor.run(stop, ready.set))
    waiting = asyncio.create_task(ready.wait())
    try:
        await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            await task
        yield stop
    finally:
        stop.set()
        waiting.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_process_starts_when_those_before_it_are_ready(tmp_path: Path) -> None:
    """Preparation sees the first process ready, and the second not yet started."""
    seen: list[list[str]] = []

    async def prepare() -> None:
        seen.append([child.name for child in supervisor.children if await child.is_ready()])

    supervisor = Supervisor(
        [
            Step(spec=answering_spec(tmp_path, "first")),
            Step(spec=answering_spec(tmp_path, "second"), after=("first",), prepare=prepare),
        ],
        start_timeout=LONG,
    )
    async with running(supervisor):
        assert seen == [["first"]]
        assert [await child.is_ready() for child in supervisor.children] == [True, True]
    assert [child.process.returncode for child in supervisor.children] == [0, 0]
    assert (tmp_path / "first.log").read_text(encoding="utf-8") == "drained\n"


async def test_killed_process_is_started_again(tmp_path: Path) -> None:
    """A new process answers where the old one did."""
    supervisor = Supervisor([Step(spec=answering_spec(tmp_path, "one"))], start_timeout=LONG)
    async with running(supervisor):
        [before] = supervisor.children
        os.kill(before.pid, signal.SIGKILL)
        await eventually(lambda: supervisor.children[0].pid != before.pid)
        await supervisor.children[0].wait_ready(LONG)


async def test_process_that_ends_while_starting_fails_the_start(tmp_path: Path) -> None:
    """The error names it, its last words and its log; the others are stopped."""
    dying = ChildSpec(
        name="dying",
        command=(sys.executable, "-c", "import sys; sys.exit('port is taken')"),
        environment=dict(os.environ),
        log=tmp_path / "dying.log",
        ready_url=f"http://127.0.0.1:{any_free_port()}/",
    )
    supervisor = Supervisor(
        [Step(spec=answering_spec(tmp_path, "well")), Step(spec=dying)], start_timeout=LONG
    )
    with pytest.raises(ExceptionGroup) as raised:
        async with running(supervisor):
            pass
    [error] = raised.value.exceptions
    assert isinstance(error, ChildFailedError)
    assert str(error).startswith("dying did not start: it ended with 1, saying: port is taken")
    assert not any(child.is_running for child in supervisor.children)


async def test_process_that_never_answers_fails_the_start(tmp_path: Path) -> None:
    """Waiting ends at the start timeout."""
    silent = ChildSpec(
        name="silent",
        command=(sys.executable, "-c", "import time; time.sleep(60)"),
        environment=dict(os.environ),
        log=tmp_path / "silent.log",
        ready_url=f"http://127.0.0.1:{any_free_port()}/",
    )
    supervisor = Supervisor([Step(spec=silent)], start_timeout=timedelta(milliseconds=200))
    with pytest.raises(ExceptionGroup, match="unhandled errors") as raised:
        async with running(supervisor):
            pass
    assert "not ready within 0.2 s" in str(raised.value.exceptions[0])


async def test_missing_program_fails_the_start(tmp_path: Path) -> None:
    """The error says what is missing."""
    missing = ChildSpec(
        name="missing",
        command=("/no/such/program",),
        environment={},
        log=tmp_path / "missing.log",
        ready_url="http://127.0.0.1:1/",
    )
    with pytest.raises(ExceptionGroup) as raised:
        async with running(Supervisor([Step(spec=missing)], start_timeout=LONG)):
            pass
    assert "No such file or directory" in str(raised.value.exceptions[0])


async def test_stop_while_starting_ends_everything(tmp_path: Path) -> None:
    """Ctrl-C does not have to wait until all is ready."""
    steps = [
        Step(spec=answering_spec(tmp_path, "first")),
        Step(spec=answering_spec(tmp_path, "never"), after=("never",)),
    ]
    supervisor = Supervisor(steps, start_timeout=LONG)
    stop = asyncio.Event()
    task = asyncio.create_task(supervisor.run(stop, lambda: None))
    await eventually(lambda: supervisor.children)
    stop.set()
    await task
    assert not any(child.is_running for child in supervisor.children)


async def test_process_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    """Draining has a deadline."""
    code = (
        "import signal, runpy, sys; sys.argv[1:] = [sys.argv[2]];"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN); signal.signal = lambda *_: None;"
        f"runpy.run_path({answering.__file__!r}, run_name='__main__')"
    )
    port = any_free_port()
    stubborn = ChildSpec(
        name="stubborn",
        command=(sys.executable, "-c", code, "-", str(port)),
        environment=dict(os.environ),
        log=tmp_path / "stubborn.log",
        ready_url=f"http://127.0.0.1:{port}/",
        stop_timeout=timedelta(milliseconds=200),
    )
    supervisor = Supervisor([Step(spec=stubborn)], start_timeout=LONG)
    async with running(supervisor):
        pass
    assert supervisor.children[0].process.returncode == -signal.SIGKILL


TALK = 'n=0; while :; do n=$((n+1)); echo "line $n" >&2; sleep 0.001; done'
SHORT_BYTES = 500


async def test_log_of_a_running_process_is_kept_short(tmp_path: Path) -> None:
    """The newest lines move to a file beside it, and the process goes on writing to its own."""
    log, kept = tmp_path / "talking.log", tmp_path / "talking.log.1"
    child = await start_child(
        replace(answering_spec(tmp_path, "talking"), command=("sh", "-c", TALK))
    )
    watch = LogWatch(tmp_path, max_bytes=SHORT_BYTES, pause=timedelta(milliseconds=10))
    watching = asyncio.create_task(watch(Supervisor([], start_timeout=LONG)))
    try:
        await eventually(lambda: 0 < last_number(kept) < first_number(log))
        assert kept.stat().st_size <= SHORT_BYTES
    finally:
        watching.cancel()
        await child.stop()


def numbers(log: Path) -> list[int]:
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    return [int(line.removeprefix("line ")) for line in lines]


def first_number(log: Path) -> int:
    return next(iter(numbers(log)), 0)


def last_number(log: Path) -> int:
    return next(reversed(numbers(log)), 0)


def test_only_one_older_log_is_kept(tmp_path: Path) -> None:
    log = tmp_path / "child.log"
    for text in ("cut first\nfirst\n", "cut second\nsecond\n"):
        log.write_text(text, encoding="utf-8")
        keep_log_short(log, max_bytes=10)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["child.log", "child.log.1"]
    assert log.read_bytes() == b""
    assert (tmp_path / "child.log.1").read_text(encoding="utf-8") == "second\n"
    log.write_text("tiny", encoding="utf-8")
    keep_log_short(log, max_bytes=4)
    assert log.read_text(encoding="utf-8") == "tiny"


SUPERVISE = """
import asyncio, sys
from datetime import timedelta
from pathlib import Path
from infrastructure.stack.supervisor import Step, Supervisor
from tests.integration.test_supervisor import answering_spec

async def main():
    step = Step(spec=answering_spec(Path(sys.argv[1]), "child"))
    supervisor = Supervisor([step], start_timeout=timedelta(seconds=20))
    ready = lambda: print(supervisor.children[0].pid, flush=True)
    await supervisor.run(asyncio.Event(), ready)

asyncio.run(main())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks the Linux kernel")
async def test_killing_the_supervisor_ends_its_children(tmp_path: Path) -> None:
    """The kernel tells the child."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SUPERVISE, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    mark = mark_process("child", int(await process.stdout.readline()))
    assert is_alive(mark)
    process.kill()
    await process.wait()
    await eventually(lambda: not is_alive(mark))
    assert (tmp_path / "child.log").read_text(encoding="utf-8") == "drained\n"


async def test_leftover_is_ended_and_a_stranger_with_its_pid_is_not(tmp_path: Path) -> None:
    """Only the process of that start time is meant."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "import time; time.sleep(60)"
    )
    mark = mark_process("child", process.pid)
    stranger = type(mark)("child", process.pid, "another time")
    assert end_leftovers([stranger]) == []
    assert process.returncode is None
    waiting = asyncio.create_task(process.wait())
    assert await asyncio.to_thread(end_leftovers, [mark]) == [mark]
    assert await waiting == -signal.SIGTERM
    eventually_blocking(lambda: not is_alive(mark))
