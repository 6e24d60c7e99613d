"""How long an agent waits at one of its hooks: a whole process, from a cold start to its end."""

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import infrastructure.intake.hooks.command

_PAYLOAD = {
    "session_id": "bench",
    "hook_event_name": "PostToolUse",
    "tool_name": "Read",
    "tool_input": {"file_path": "/w/a.py"},
    "tool_response": {"file": {"content": "x = 1\n" * 2_000}},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class HookFigures:
    """Times in milliseconds, one per call."""

    answered_ms: Sequence[float]
    """With a receiver that answers at once."""
    away_ms: Sequence[float]
    """With none: the payload is kept in the home."""
    bare_ms: Sequence[float]
    """A bare interpreter that does nothing."""


def measure_hooks(count: int) -> HookFigures:
    """Run the command of a hook so many times each way, in turn."""
    found: dict[str, list[float]] = {"answered": [], "away": [], "bare": []}
    script = infrastructure.intake.hooks.command.__file__
    with tempfile.TemporaryDirectory() as folder, _receiver() as port:
        there, away = Path(folder, "there"), Path(folder, "away")
        for home in (there, away):
            home.mkdir()
        record = {"otlp_url": f"http://127.0.0.1:{port}"}
        (there / "stack.json").write_text(json.dumps(record), encoding="utf-8")
        for _ in range(count):
            found["answered"].append(_time_ms(script, "claude-code", str(there)))
            found["away"].append(_time_ms(script, "claude-code", str(away)))
            found["bare"].append(_time_ms("-c", "pass"))
    return HookFigures(answered_ms=found["answered"], away_ms=found["away"], bare_ms=found["bare"])


def _time_ms(*arguments: str) -> float:
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-I", "-S", *arguments],
        input=json.dumps(_PAYLOAD).encode(),
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return (time.perf_counter() - began) * 1000


class _Answering(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as in the library
        del format, args


@contextmanager
def _receiver() -> Iterator[int]:
    server = HTTPServer(("127.0.0.1", 0), _Answering)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
