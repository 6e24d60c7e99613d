"""The stack that is measured: `swarm up` in a home of its own, without an ingestor.

nats-server with fsync before every ack and history in its own process, exactly as users run them.
The ingestor is started by the measurement that needs it, so that a backlog can be laid first.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infrastructure.errors import ChildFailedError
from infrastructure.history.client import HistoryClient, open_history
from infrastructure.history.config import HistoryConfig
from nervous_system.home import Home

SWARM = str(Path(sys.executable).with_name("swarm"))
STOP_SECONDS = 60.0
POLL_SECONDS = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Rig:
    """A running stack without an ingestor."""

    home: Home
    record: Mapping[str, Any]
    """What `stack.json` says."""
    writer: HistoryClient
    """History, as the operator."""

    @property
    def nats_url(self) -> str:
        """The bus, as the operator."""
        return str(self.record["nats_url"])

    @property
    def writer_dsn(self) -> str:
        """History, as the operator."""
        return str(self.record["writer_dsn"])

    @contextmanager
    def reader(self) -> Iterator[HistoryClient]:
        """Give history as readers see it: checked, limited, over HTTP."""
        with open_history(HistoryConfig(dsn=str(self.record["clickhouse_url"]))) as reader:
            yield reader

    def wait_until_merged(self, timeout: float) -> None:
        """Return when no merge runs, which would take its time from what is measured.

        Raises:
            ChildFailedError: merges still run after `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        while self.scalar("select count() from system.merges"):
            if time.monotonic() > deadline:
                raise ChildFailedError(
                    name="history",
                    reason=f"merges still run after {timeout:g} s",
                    log=str(self.home.logs),
                )
            time.sleep(POLL_SECONDS)

    def number(self, sql: str) -> float:
        """Return the one number that `sql` answers."""
        row = self.writer.query(sql)[0]
        return float(next(iter(row.values())) or 0)

    def scalar(self, sql: str) -> int:
        """Return the one whole number that `sql` answers."""
        return int(self.number(sql))

    def highest(self) -> int:
        """Return the highest sequence in history."""
        return self.scalar("select max(stream_seq) from swarm.events")

    def wait_until_highest(self, sequence: int, timeout: float) -> None:
        """Return when history has reached `sequence`.

        Raises:
            ChildFailedError: it has not within `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        while self.highest() < sequence:
            if time.monotonic() > deadline:
                raise ChildFailedError(
                    name="ingestor",
                    reason=f"history did not reach {sequence} within {timeout:g} s",
                    log=str(self.home.logs),
                )
            time.sleep(POLL_SECONDS)

    @contextmanager
    def process(self, *command: str) -> Iterator[subprocess.Popen[bytes]]:
        """Run a process of this stack; it is ended at the end."""
        log = (self.home.logs / "bench.log").open("ab")
        child = subprocess.Popen(
            command,
            env={**os.environ, "SWARM_HOME": str(self.home.root)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        try:
            yield child
        finally:
            child.terminate()
            try:
                child.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
            log.close()

    @contextmanager
    def ingestor(self) -> Iterator[subprocess.Popen[bytes]]:
        """Run the ingestor."""
        with self.process(SWARM, "ingest", "--home", str(self.home.root)) as child:
            yield child


@contextmanager
def open_rig() -> Iterator[Rig]:
    """Start a stack in a temporary home; stop it and remove the home at the end.

    Raises:
        ChildFailedError: the stack did not start.
    """
    with tempfile.TemporaryDirectory(prefix="swarm-bench-") as folder:
        home = Home(Path(folder) / ".swarm")
        try:
            _swarm(home, "up", "--detach", "--no-ingestor", "--no-dashboard")
            record = json.loads(home.stack_file.read_text(encoding="utf-8"))
            config = HistoryConfig.from_env({"SWARM_CLICKHOUSE_DSN": record["writer_dsn"]})
            with open_history(config) as writer:
                yield Rig(home=home, record=record, writer=writer)
        finally:
            _swarm(home, "down")


def _swarm(home: Home, *arguments: str) -> None:
    done = subprocess.run(
        [SWARM, *arguments, "--home", str(home.root)],
        capture_output=True,
        text=True,
        check=False,
        # Ctrl-C in the terminal is for the benchmark: this is how it cleans up
        start_new_session=True,
    )
    if done.returncode != 0:
        raise ChildFailedError(
            name=f"swarm {arguments[0]}", reason=done.stderr.strip(), log=str(home.logs)
        )
