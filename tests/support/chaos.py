"""Processes of a stack under load, killed in a random but repeatable order, and the account after.

The account: everything that a publisher was promised is in history exactly once, and history is the
stream, message by message.
"""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random, SystemRandom
from typing import Any

import nats

from infrastructure.stack.leftover import ProcessMark, is_alive, read_marks
from tests.support.eventually import eventually_blocking
from tests.support.stacks import SWARM, Stack

ROOT = Path(__file__).parents[2]
PUBLISHER = "publisher"
SECOND_INGESTOR = "second ingestor"
SUPERVISED = ("nats", "history", "ingestor")
TARGETS = (PUBLISHER, SECOND_INGESTOR, *SUPERVISED)
END_SECONDS = 30


def choose_seed() -> int:
    """Return SWARM_TEST_SEED, or a new one; printed, so that a failed run can be repeated."""
    seed = int(os.environ.get("SWARM_TEST_SEED") or SystemRandom().randrange(2**32))
    print(f"SWARM_TEST_SEED={seed}")
    return seed


@dataclass(slots=True)
class Chaos:
    """Publisher and second ingestor beside a running stack, and what was promised so far."""

    stack: Stack
    folder: Path
    random: Random
    url: str | None = None
    """Of the bus, where it is not the stack's record that says it."""
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    starts: Counter[str] = field(default_factory=Counter)
    kills: Counter[str] = field(default_factory=Counter)
    _read_bytes: int = 0
    _read_lines: int = 0

    @property
    def log(self) -> Path:
        """Receipts of all publishers so far."""
        return self.folder / "receipts.jsonl"

    def start(self, name: str) -> None:
        """Start the publisher or the second ingestor."""
        self.starts[name] += 1
        commands = {
            PUBLISHER: (
                *(sys.executable, "-m", "tests.support.chaos_publisher"),
                *("--home", str(self.stack.root), "--log", str(self.log)),
                *("--seed", f"{self.random.random()}"),
            ),
            SECOND_INGESTOR: (SWARM, "ingest", "--home", str(self.stack.root)),
        }
        extra = {"SWARM_NATS_URL": self.url} if self.url else {}
        with (self.folder / f"{name}.log").open("ab") as output:
            self.processes[name] = subprocess.Popen(
                commands[name],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, **self.stack.environment, **extra},
            )

    def kill(self, name: str) -> None:
        """SIGKILL one of `TARGETS`; ours are started again here, the others by the supervisor."""
        if name in self.processes:
            self.processes[name].kill()
            self.processes[name].wait()
            self.start(name)
        else:
            kill_child(self.stack, name)
        self.kills[name] += 1

    def stop(self, name: str) -> int:
        """End one of ours politely; return its exit code."""
        process = self.processes.pop(name)
        process.send_signal(signal.SIGTERM)
        return process.wait(END_SECONDS)

    def promises(self) -> dict[str, int | None]:
        """Return the id of each promised event to its sequence, None where it was not acked."""
        return {note["id"]: note["sequence"] for note in self._notes()}

    def count(self, promise: str) -> int:
        """Return how often publishers were promised this."""
        return sum(note["promise"] == promise for note in self._notes())

    def _notes(self) -> list[dict[str, Any]]:
        lines = self.log.read_bytes().split(b"\n")[:-1] if self.log.exists() else []
        return [json.loads(line) for line in lines]

    def wait_for_promises(self, count: int, timeout: float = 20) -> None:
        """Wait until publishers have been promised so many more."""
        wanted = self._line_count() + count
        eventually_blocking(lambda: self._line_count() >= wanted, timeout=timeout)

    def wait_until_silent(self, seconds: float = 1.5) -> None:
        """Wait until publishers have been promised nothing for so long."""
        seen, since = -1, time.monotonic()

        def is_silent() -> bool:
            nonlocal seen, since
            if self._line_count() != seen:
                seen, since = self._line_count(), time.monotonic()
            return time.monotonic() - since > seconds

        eventually_blocking(is_silent, timeout=40)

    def settle(self) -> None:
        """End the publisher in peace and have a last one send what all of them left."""
        if PUBLISHER in self.processes:
            assert self.stop(PUBLISHER) == 0, self.output(PUBLISHER)
        self.start(PUBLISHER)
        self.wait_for_promises(1)
        orphans = [folder for folder in self.stack.home.spool.iterdir() if self._is_orphan(folder)]
        eventually_blocking(lambda: not any(one.exists() for one in orphans), timeout=60)
        assert self.stop(PUBLISHER) == 0, self.output(PUBLISHER)

    def _is_orphan(self, folder: Path) -> bool:
        """Whether the spool is another process's than the present publisher's."""
        return folder.name.partition("-")[0] != str(self.processes[PUBLISHER].pid)

    def output(self, name: str) -> str:
        """Return what a process of ours has said, its last page."""
        return (self.folder / f"{name}.log").read_text(errors="replace")[-4000:]

    def _line_count(self) -> int:
        if self.log.exists():
            with self.log.open("rb") as file:
                file.seek(self._read_bytes)
                new = file.read()
            self._read_bytes += len(new)
            self._read_lines += new.count(b"\n")
        return self._read_lines


@contextlib.contextmanager
def chaos_around(stack: Stack, folder: Path, seed: int) -> Iterator[Chaos]:
    """Give the means to break things; end what is left of them."""
    folder.mkdir(exist_ok=True)
    chaos = Chaos(stack, folder, Random(seed))
    try:
        yield chaos
    finally:
        for process in chaos.processes.values():
            process.kill()
            process.wait()


def kill_child(stack: Stack, name: str) -> None:
    """SIGKILL a process of the supervisor's once it runs; never one that has got its pid since."""

    def strike() -> ProcessMark | None:
        for mark in read_marks(stack.root / "children.json"):
            if mark.name == name and is_alive(mark):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(mark.pid, signal.SIGKILL)
                return mark
        return None

    struck = eventually_blocking(strike, timeout=70)  # the supervisor waits up to a minute
    assert struck is not None
    eventually_blocking(lambda: not is_alive(struck))


def shuffled(targets: Sequence[str], times: int, random: Random) -> list[str]:
    """Return each target so many times, in random order."""
    order = list(targets) * times
    random.shuffle(order)
    return order


# --- the account -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What stream and history hold."""

    stream_messages: int
    rows: int
    sequences: int
    """Different ones among the rows."""
    event_ids: int
    """Different ones among the rows."""


def take_account(stack: Stack) -> Account:
    """Count once history has caught up."""
    messages = asyncio.run(count_messages(stack.record["nats_url"]))
    [found] = stack.sql(
        "select count() as rows, uniqExact(stream_seq) as sequences, "
        "uniqExact(event_id) as event_ids from swarm.events where stream = 'ENCHANTED_SWARM'"
    )
    return Account(stream_messages=messages, **{name: int(n) for name, n in found.items()})


async def count_messages(url: str) -> int:
    """Ask the server how many messages the stream of events holds."""
    client = await nats.connect(url)
    try:
        return int((await client.jetstream().stream_info("ENCHANTED_SWARM")).state.messages)
    finally:
        await client.close()


def check_account(stack: Stack, promises: Mapping[str, int | None]) -> None:
    """Nothing promised is lost, nothing is there twice, history is the stream, and `verify` agrees.

    Only for events of the SDK: others may repeat an id after the duplicate window.
    """
    stack.wait_ready()
    account = take_account(stack)
    assert account.rows == account.stream_messages, account
    assert account.rows == account.sequences, account
    assert account.rows == account.event_ids, account
    rows = stack.sql("select event_id, stream_seq from swarm.events")
    stored = {row["event_id"]: int(row["stream_seq"]) for row in rows}
    lost = [event_id for event_id in promises if event_id not in stored]
    assert not lost, f"{len(lost)} of {len(promises)} promised events are lost, first {lost[0]}"
    elsewhere = [
        event_id
        for event_id, sequence in promises.items()
        if sequence is not None and stored[event_id] != sequence
    ]
    assert not elsewhere, f"{len(elsewhere)} are not where their receipt says"
    report = stack.json("verify", "--timeout", "60", expected=None)
    assert report["ok"], report["problems"][:3]
    assert report["checked"] == account.rows
