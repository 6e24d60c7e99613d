"""The real engine of history, embedded: chDB.

One process can open one path only, so a test session has one engine; what needs a path of its own
runs a child python (`run_python`). Tables are kept apart by a fresh database per test.
"""

import contextlib
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

import clickhouse_connect
from clickhouse_connect.driver.client import Client


@contextlib.contextmanager
def open_engine(path: Path) -> Iterator[Client]:
    """Open the process's one engine on `path`."""
    client = clickhouse_connect.get_client(interface="chdb", path=str(path))
    try:
        yield client
    finally:
        client.close()


@contextlib.contextmanager
def fresh_database(client: Client) -> Iterator[str]:
    """Make a database of a random name and drop it afterwards."""
    name = f"test_{uuid.uuid4().hex}"
    client.command(f"create database {name}")
    try:
        yield name
    finally:
        client.command(f"drop database if exists {name} sync")


def run_python(
    code: str, *arguments: str, timeout: float = 50, environment: Mapping[str, str] | None = None
) -> str:
    """Run `code` in a python of its own, free to open an engine anywhere; return its output."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        env={**os.environ, **(environment or {})},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
