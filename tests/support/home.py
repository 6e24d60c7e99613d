"""A home with its servers, started one by one: for tests of what works on a whole home.

The stack itself has its own tests; here each process is in the test's hands.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from infrastructure.stack.lock import hold_stack_lock
from nervous_system.home import Home, write_json
from tests.support.servers import running_nats_server

STOP_SECONDS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningHome:
    """Where the servers of a home are."""

    home: Home
    nats_url: str
    reader_dsn: str
    writer_dsn: str


@contextlib.contextmanager
def running_home(root: Path) -> Iterator[RunningHome]:
    """Start nats-server and history below `root` and record them as a running stack would."""
    home = Home(root)
    home.ensure()
    write_json(home.credentials_file, {"history_writer": "w", "history_reader": "r"})
    with (
        hold_stack_lock(home),
        running_nats_server(home.nats) as server,
        _running_history(home) as port,
    ):
        found = RunningHome(
            home=home,
            nats_url=server.url,
            reader_dsn=f"http://history_reader:r@127.0.0.1:{port}/swarm",
            writer_dsn=f"http://history_writer:w@127.0.0.1:{port}/swarm",
        )
        record = {
            "pid": os.getpid(),
            "nats_url": found.nats_url,
            "clickhouse_url": found.reader_dsn,
            "writer_dsn": found.writer_dsn,
        }
        write_json(home.stack_file, record)
        try:
            yield found
        finally:
            home.stack_file.unlink()


@contextlib.contextmanager
def _running_history(home: Home) -> Iterator[int]:
    home.logs.mkdir(exist_ok=True)
    with (home.logs / "history.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "infrastructure.history", "--home", home.root, "--port", "0"],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line, (home.logs / "history.log").read_text()
        yield int(json.loads(line)["port"])
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
