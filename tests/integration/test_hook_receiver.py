"""The receiver takes payloads of hooks, each once, in order, or not at all."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import urllib3

from infrastructure.history.owner.http1 import Request, Server, serve
from infrastructure.intake.hooks import command
from infrastructure.intake.hooks.desk import HookDesk
from infrastructure.intake.hooks.pending import PendingFiles
from infrastructure.intake.service import event_publisher, stored_since
from nervous_system.comms.open import open_bus
from nervous_system.config import BusConfig
from nervous_system.errors import BusUnavailableError
from nervous_system.home import Home
from nervous_system.schemas import SwarmEvent
from tests.support.bus import declare
from tests.support.eventually import eventually

DELIVERY = "0123456789abcdef" * 2
JSON = {"Content-Type": "application/json"}


def payload(prompt: str = "go", **more: Any) -> bytes:
    value = {"session_id": "s", "hook_event_name": "UserPromptSubmit", "prompt": prompt, **more}
    return json.dumps(value).encode()


class Receiver:
    """A desk behind HTTP, and what it has published."""

    def __init__(self, desk: HookDesk, server: Server, bus: Any) -> None:
        self.desk = desk
        self.url = f"http://127.0.0.1:{server.port}/v1/hooks"
        self._bus = bus

    async def post(
        self, body: bytes, path: str = f"/claude-code?delivery={DELIVERY}", **options: Any
    ) -> Any:
        options.setdefault("headers", JSON)
        return await asyncio.to_thread(
            urllib3.request, "POST", f"{self.url}{path}", body=body, retries=False, **options
        )

    @property
    def jetstream(self) -> Any:
        return self._bus.js

    async def published(self) -> list[SwarmEvent]:
        end = await self._bus.reader.end_of_stream()
        if not end:
            return []
        return [stored.event async for stored in self._bus.reader.replay(start=1, end=end)]

    async def prompts(self) -> list[str]:
        return [
            one.session_mark.mark_text
            for one in await self.published()
            if one.HasField("session_mark")
        ]


@asynccontextmanager
async def receiving(nats_url: str, home: Path) -> AsyncIterator[Receiver]:
    async with open_bus(BusConfig(url=nats_url)) as bus:
        await declare(bus.js)
        find = partial(stored_since, bus.js, nats_url)
        desk = HookDesk(event_publisher(bus.publisher), find, Home(home))
        server = await serve(desk.handle, "127.0.0.1", 0)
        try:
            yield Receiver(desk, server, bus)
        finally:
            await server.close(1.0)


async def test_the_same_delivery_twice_is_stored_once(nats_url: str, tmp_path: Path) -> None:
    async with receiving(nats_url, tmp_path) as receiver:
        for _ in range(2):
            answer = await receiver.post(payload())
            assert (answer.status, answer.data) == (200, b"")
        assert await receiver.prompts() == ["go"]


async def test_the_same_delivery_after_a_restart_is_stored_once(
    nats_url: str, tmp_path: Path
) -> None:
    for _ in range(2):
        async with receiving(nats_url, tmp_path) as receiver:
            await receiver.post(payload())
            assert await receiver.prompts() == ["go"]


async def test_what_hooks_have_kept_goes_before_what_comes_now(
    nats_url: str, tmp_path: Path
) -> None:
    for number in range(3):
        body = payload(f"kept {number}")
        head = command.header(f"{number:032x}", number, "claude-code", False, len(body))
        command.keep(str(tmp_path), head, body)
    async with receiving(nats_url, tmp_path) as receiver:
        await receiver.post(payload("now"))
        assert await receiver.prompts() == ["kept 0", "kept 1", "kept 2", "now"]
        assert PendingFiles(Home(tmp_path)).is_empty


async def test_what_hooks_have_kept_is_sent_although_none_comes(
    nats_url: str, tmp_path: Path
) -> None:
    async with receiving(nats_url, tmp_path) as receiver:
        stop = asyncio.Event()
        task = asyncio.create_task(receiver.desk.run(stop))
        body = payload("kept")
        head = command.header(DELIVERY, 1, "claude-code", False, len(body))
        command.keep(str(tmp_path), head, body)

        async def is_there() -> bool:
            return await receiver.prompts() == ["kept"]

        await eventually(is_there)
        stop.set()
        await task


def keep_prompts(home: Path, count: int, at_ns: int) -> None:
    for number in range(count):
        body = payload(f"kept {number}")
        head = command.header(f"{number:032x}", at_ns, "claude-code", False, len(body))
        command.keep(str(home), head, body)


async def test_what_a_killed_receiver_has_sent_is_not_sent_by_the_next(
    nats_url: str, tmp_path: Path
) -> None:
    """The server knows ids for two minutes only: what waited for longer is looked up."""
    an_hour_ago = time.time_ns() - 3_600_000_000_000
    sent: list[SwarmEvent] = []

    async def send(events: Sequence[SwarmEvent]) -> None:
        sent.extend(events)

    async with receiving(nats_url, tmp_path) as receiver:
        keep_prompts(tmp_path, 2, an_hour_ago)
        await receiver.post(payload("now"))
        keep_prompts(tmp_path, 3, an_hour_ago)
        find = partial(stored_since, receiver.jetstream, nats_url)
        await HookDesk(send, find, Home(tmp_path)).send_kept()
    marks = [one.session_mark.mark_text for one in sent if one.HasField("session_mark")]
    assert (marks, len(sent)) == (["kept 2"], 2)


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/gemini", JSON, 404),
        ("/claude-code", {"Content-Type": "text/plain"}, 415),  # a page of a browser can send it
        ("/claude-code", {}, 415),
    ],
)
async def test_what_is_no_hook_is_refused(
    nats_url: str, tmp_path: Path, path: str, headers: dict[str, str], status: int
) -> None:
    async with receiving(nats_url, tmp_path) as receiver:
        answer = await receiver.post(payload(), path, headers=headers)
        assert answer.status == status
        assert await receiver.published() == []


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'"text"', b'{"hook_event_name": 7}'])
async def test_a_payload_that_nobody_understands_is_kept_as_it_came(
    nats_url: str, tmp_path: Path, body: bytes
) -> None:
    async with receiving(nats_url, tmp_path) as receiver:
        assert (await receiver.post(body)).status == 200
        (event,) = await receiver.published()
        assert event.session_line.line_bytes == body
        assert event.session_line.line_type == "malformed"


async def test_a_bus_that_is_away_tells_the_hook_to_keep_its_payload(tmp_path: Path) -> None:
    async def no_bus(events: object) -> None:
        del events
        raise BusUnavailableError(servers="x", reason="away")

    async def find_none(agent_id: str, since: object) -> set[str]:
        del agent_id, since
        return set()

    desk = HookDesk(no_bus, find_none, Home(tmp_path))
    query = [("delivery", DELIVERY)]
    request = Request(
        method="POST",
        path="/v1/hooks/codex",
        query=query,
        headers={"content-type": "application/json"},
        body=payload(),
        gone=asyncio.Event(),
    )
    assert (await desk.handle(request)).status == 503


async def test_a_gate_without_a_policy_denies(nats_url: str, tmp_path: Path) -> None:
    tool = {"hook_event_name": "PreToolUse", "tool_name": "Bash", "tool_use_id": "t"}
    async with receiving(nats_url, tmp_path) as receiver:
        answer = await receiver.post(payload(**tool), "/claude-code?gate=")
        decided = json.loads(answer.data)["hookSpecificOutput"]
        assert decided["permissionDecision"] == "deny"
        kinds = [one.WhichOneof("payload") for one in await receiver.published()]
        assert kinds == ["session_line", "tool_call", "session_mark"]
