"""The dashboard as a process: with a stack, without, and by itself."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.stacks import stack_at

COMMAND = [sys.executable, "-m", "mission_control.server"]
SETTINGS = {
    "SWARM_CLICKHOUSE_DSN": "http://reader:secret-word@127.0.0.1:9/swarm",
    "SWARM_DASHBOARD_TOKEN": "a-token-for-the-tests",
    "SWARM_DASHBOARD_PORT": "0",
}


@contextmanager
def serving(**settings: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start one; give its process and origin. Killed at the end, if it still runs."""
    process = subprocess.Popen(
        COMMAND,
        env={**os.environ, **SETTINGS, **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    try:
        port = json.loads(process.stdout.readline())["port"]
        yield process, f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def status_of(url: str, token: str = SETTINGS["SWARM_DASHBOARD_TOKEN"]) -> tuple[int, bytes]:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def test_stack_runs_without_a_dashboard(tmp_path: Path) -> None:
    """And says so."""
    with stack_at(tmp_path / "home") as stack:
        stack.swarm("up", "--detach", "--no-dashboard")
        status = stack.json("status")
        assert (status["ready"], status["dashboard_url"]) == (True, None)
        assert "dashboard" not in {process["name"] for process in status["processes"]}
        assert "allowed_origins" not in (stack.home.nats / "nats-server.conf").read_text()


def test_dashboard_serves_while_history_is_away_and_says_that_it_is() -> None:
    """It lives, is not ready, and every question is answered with 503."""
    with serving() as (_, origin):
        assert status_of(f"{origin}/healthz")[0] == 200
        assert status_of(f"{origin}/readyz")[0] == 503
        status, body = status_of(f"{origin}/api/v1/runs")
        assert (status, json.loads(body)["error"]["code"]) == (503, "history_unavailable")
        assert b"secret-word" not in body


def test_dashboard_that_is_asked_to_end_ends_at_once_and_well() -> None:
    """Open connections do not keep it."""
    with serving() as (process, origin):
        host, _, port = origin.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port))):
            status_of(f"{origin}/healthz")
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0


def test_setting_that_cannot_be_used_is_one_line(tmp_path: Path) -> None:
    """Exit code 1, no traceback, no secret."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for settings in (
            {"SWARM_DASHBOARD_TOKEN": "short"},
            {"SWARM_DASHBOARD_HOST": "0.0.0.0"},
            {"SWARM_DASHBOARD_PORT": port},
        ):
            environment = {**os.environ, **SETTINGS, **settings}
            done = subprocess.run(
                COMMAND, env=environment, capture_output=True, text=True, timeout=30, check=False
            )
            assert done.returncode == 1
            assert done.stderr.count("\n") == 1
            assert done.stderr.startswith("dashboard: ")
            assert "secret-word" not in done.stderr


def test_link_outlives_a_restart_of_the_stack(tmp_path: Path) -> None:
    """Token and port are the home's."""
    with stack_at(tmp_path / "home") as stack:
        stack.up()
        link = stack.record["dashboard_url"]
        stack.down()
        stack.up()
        assert stack.record["dashboard_url"] == link
        mode = stack.home.credentials_file.stat().st_mode & 0o777
        assert mode == 0o600
