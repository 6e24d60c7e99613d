"""The process that owns embedded history, as the stack starts it."""

import contextlib
import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path
from urllib.parse import urlencode

from tests.support.eventually import eventually_blocking

WRITER = ("history_writer", "writer-secret")
READER = ("history_reader", "reader-secret")
STOP_SECONDS = 20
ANSWER_SECONDS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the endpoint answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def code(self) -> int:
        """ClickHouse's error code; 0 where there is none."""
        return int(self.headers.get("x-clickhouse-exception-code", "0"))

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")


@dataclass(slots=True, kw_only=True)
class Owner:
    """A running owner."""

    home: Path
    port: int = 0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def writer_dsn(self) -> str:
        return f"http://{WRITER[0]}:{WRITER[1]}@127.0.0.1:{self.port}/swarm"

    @property
    def reader_dsn(self) -> str:
        return f"http://{READER[0]}:{READER[1]}@127.0.0.1:{self.port}/swarm"

    def ask(
        self,
        sql: str | bytes,
        *,
        user: tuple[str, str] | None = READER,
        path: str = "/",
        method: str = "POST",
        headers: Mapping[str, str] | None = None,
        parameters: Mapping[str, str] | None = None,
        **more: str,
    ) -> Reply:
        """Send a query as the body and return the answer, whatever its status."""
        sent = dict(headers or {})
        if user:
            sent |= {"X-ClickHouse-User": user[0], "X-ClickHouse-Key": user[1]}
        body = sql.encode() if isinstance(sql, str) else sql
        request = urllib.request.Request(
            f"{self.url}{path}?{urlencode({**(parameters or {}), **more})}",
            data=body if method == "POST" else None,
            headers=sent,
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as answer:
                return _reply(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return _reply(error.code, error.headers, error.read())

    def start(self) -> None:
        arguments = ["--home", str(self.home), "--port", str(self.port)]
        with (self.home / "owner.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "infrastructure.history", *arguments],
                stdout=subprocess.PIPE,
                stderr=log,
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, (self.home / "owner.log").read_text()
        self.port = int(json.loads(line)["port"])
        eventually_blocking(lambda: self.ask(b"", path="/readyz").status == 200)

    def stop(self) -> int:
        """Ask it to stop; return its exit code."""
        assert self.process is not None
        self.process.terminate()
        try:
            return self.process.wait(STOP_SECONDS)
        finally:
            self.kill()

    def kill(self) -> None:
        """End it as kill -9 does."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            if self.process.stdout is not None:
                self.process.stdout.close()


def _reply(status: int, headers: Message, body: bytes) -> Reply:
    lowered = {name.lower(): value for name, value in headers.items()}
    return Reply(status=status, headers=lowered, body=body)


@contextlib.contextmanager
def running_owner(home: Path) -> Iterator[Owner]:
    """Start an owner on a home of its own; gone afterwards, even if the test fails."""
    home.mkdir(parents=True, exist_ok=True)
    (home / "credentials.json").write_text(json.dumps(dict([WRITER, READER])))
    owner = Owner(home=home)
    try:
        owner.start()
        yield owner
    finally:
        owner.kill()
