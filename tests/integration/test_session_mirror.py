"""Transcripts are stored exactly once: read again, by two at once, killed, rewritten, rotated."""

import json
import os
import random
import shutil
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from infrastructure.intake.sessions import writer
from infrastructure.intake.sessions.cursor import MARK
from nervous_system.comms.streams import COORDINATION_STREAM, EVENTS_STREAM
from nervous_system.errors import BusUnavailableError
from nervous_system.schemas import SwarmEvent
from tests.support.eventually import eventually
from tests.support.mirrored import Swarm, following, mirror_once, mirroring_process, open_swarm
from tests.support.servers import NatsServer
from tests.support.transcripts import TRANSCRIPTS, call_line, prompt_line, result_line

LONG = TRANSCRIPTS / "claude_code/spotter_full/4d5611e5-241a-462a-8d15-5122611a9569.jsonl"
SHORT = TRANSCRIPTS / "claude_code/spotter_subagent.jsonl"
WRITTEN_NS = 1_767_323_045_000_000_000
pytestmark = pytest.mark.timeout(120)


@pytest.fixture
async def swarm(nats_server: NatsServer) -> AsyncIterator[Swarm]:
    async with open_swarm(nats_server) as opened:
        yield opened


def prompts(first: int, last: int) -> bytes:
    return b"".join(prompt_line(f"do {number}", number) for number in range(first, last + 1))


async def has_lines(swarm: Swarm, count: int) -> bool:
    try:
        return len(await swarm.lines()) >= count
    except BusUnavailableError:  # the bus is being restarted
        return False


async def test_lines_are_kept_as_they_are(swarm: Swarm) -> None:
    await mirror_once(swarm.store, SHORT)
    assert await swarm.lines() == SHORT.read_bytes().splitlines()


async def test_a_second_mirror_stores_nothing(swarm: Swarm) -> None:
    await mirror_once(swarm.store, SHORT)
    before = await swarm.events()
    (again,) = await mirror_once(swarm.store, SHORT)
    assert (again.stored_events, await swarm.events()) == (0, before)


async def test_a_second_mirror_stores_what_is_new(swarm: Swarm, tmp_path: Path) -> None:
    path = tmp_path / "s-1.jsonl"
    path.write_bytes(prompts(1, 5))
    await mirror_once(swarm.store, path)
    path.write_bytes(prompts(1, 9))
    (again,) = await mirror_once(swarm.store, path)
    assert again.stored_lines == 4
    assert await swarm.lines() == prompts(1, 9).splitlines()


async def test_another_destination_gets_everything(
    swarm: Swarm, nats_server_with_users: NatsServer
) -> None:
    await mirror_once(swarm.store, SHORT)
    async with open_swarm(nats_server_with_users) as other:
        await mirror_once(other.store, SHORT)
        assert await other.events() == await swarm.events()


async def test_a_transcript_under_another_name_is_the_same(swarm: Swarm, tmp_path: Path) -> None:
    await mirror_once(swarm.store, SHORT)
    moved = tmp_path / "elsewhere.jsonl"
    shutil.copy(SHORT, moved)
    (again,) = await mirror_once(swarm.store, moved)
    assert again.stored_events == 0


async def test_two_mirrors_at_once_store_each_event_once(swarm: Swarm) -> None:
    async with (
        mirroring_process(swarm.url, LONG) as first,
        mirroring_process(swarm.url, LONG) as second,
    ):
        assert (await first.wait(), await second.wait()) == (0, 0)
    assert await swarm.repeated_ids() == []
    assert sorted(await swarm.lines()) == sorted(LONG.read_bytes().splitlines())


async def test_killed_mirrors_leave_each_event_once(swarm: Swarm) -> None:
    chance = random.Random(7)
    for _ in range(4):
        async with mirroring_process(swarm.url, LONG) as process:
            at_least = len(await swarm.lines()) + chance.randrange(1, 300)
            await eventually(partial(has_lines, swarm, min(at_least, 1400)), timeout=60)
            process.kill()
    await mirror_once(swarm.store, LONG)
    assert await swarm.repeated_ids() == []
    assert await swarm.lines() == LONG.read_bytes().splitlines()


async def test_a_transcript_without_times_is_as_old_as_its_file(
    swarm: Swarm, tmp_path: Path
) -> None:
    path = tmp_path / "thread.jsonl"
    path.write_bytes(b'{"type": "thread.started", "thread_id": "t-1"}\n')
    os.utime(path, ns=(WRITTEN_NS, WRITTEN_NS))
    await mirror_once(swarm.store, path)
    (cursor,) = [one.event async for one in swarm.bus.reader.replay() if is_cursor(one.event)]
    document = json.loads(cursor.session_mark.mark_document)
    assert (document["first_ns"], document["last_ns"]) == (WRITTEN_NS, WRITTEN_NS)
    assert cursor.timestamp.ToNanoseconds() == WRITTEN_NS


def is_cursor(event: SwarmEvent) -> bool:
    return event.session_mark.mark_type == MARK


async def kept_cursors(swarm: Swarm) -> int:
    subjects = "swarm.coordination.session.>"
    found = await swarm.bus.js.stream_info(COORDINATION_STREAM, subjects_filter=subjects)
    return sum((found.state.subjects or {}).values())


async def test_a_cursor_is_kept_while_a_long_transcript_is_read(
    swarm: Swarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "BATCH_EVENTS", 100)
    monkeypatch.setattr(writer, "KEEP_SECONDS", 0.0)
    (stored,) = await mirror_once(swarm.store, LONG)
    assert await kept_cursors(swarm) >= stored.stored_events // 100 > 1


async def test_a_cursor_that_a_killed_mirror_did_not_keep_is_kept_by_the_next(
    swarm: Swarm,
) -> None:
    await mirror_once(swarm.store, SHORT)
    await swarm.bus.js.purge_stream(COORDINATION_STREAM)
    await mirror_once(swarm.store, SHORT)
    await swarm.bus.js.purge_stream(EVENTS_STREAM)
    (again,) = await mirror_once(swarm.store, SHORT)
    assert (await kept_cursors(swarm), again.stored_events) == (1, 0)


async def test_a_followed_line_is_stored(swarm: Swarm, tmp_path: Path) -> None:
    path = tmp_path / "s-1.jsonl"
    path.write_bytes(prompts(1, 2))
    async with following(swarm.store, path):
        await eventually(lambda: has_lines(swarm, 2))
        with path.open("ab") as file:
            file.write(prompts(3, 3))
        await eventually(lambda: has_lines(swarm, 3))
    assert await swarm.lines() == prompts(1, 3).splitlines()


async def test_a_half_written_line_waits_for_its_end(swarm: Swarm, tmp_path: Path) -> None:
    path, line = tmp_path / "s-1.jsonl", prompt_line("go on", 3)
    path.write_bytes(prompts(1, 2) + line[:40])
    async with following(swarm.store, path):
        await eventually(lambda: has_lines(swarm, 2))
        with path.open("ab") as file:
            file.write(line[40:])
        await eventually(lambda: has_lines(swarm, 3))
    assert (await swarm.lines())[-1] == line.rstrip(b"\n")


async def test_a_truncated_file_is_read_again_from_its_start(swarm: Swarm, tmp_path: Path) -> None:
    path = tmp_path / "s-1.jsonl"
    path.write_bytes(prompts(1, 6))
    async with following(swarm.store, path):
        await eventually(lambda: has_lines(swarm, 6))
        os.truncate(path, 0)
        path.write_bytes(prompts(5, 8))
        await eventually(lambda: has_lines(swarm, 8))
    assert await swarm.lines() == prompts(1, 8).splitlines()
    assert await swarm.repeated_ids() == []


async def test_a_rewritten_file_brings_what_is_new_in_it(swarm: Swarm, tmp_path: Path) -> None:
    path = tmp_path / "s-1.jsonl"
    path.write_bytes(prompts(1, 6))
    await mirror_once(swarm.store, path)
    path.write_bytes(prompts(10, 10) + prompts(2, 7))
    (again,) = await mirror_once(swarm.store, path)
    assert (again.stored_lines, again.counts["user_prompts"]) == (2, 7)
    assert await swarm.repeated_ids() == []


async def test_a_rewritten_file_is_stored_once_whoever_reads_it(
    swarm: Swarm, tmp_path: Path
) -> None:
    path = tmp_path / "s-1.jsonl"
    path.write_bytes(prompts(1, 6))
    await mirror_once(swarm.store, path)
    path.write_bytes(prompts(3, 9))
    await mirror_once(swarm.store, path)
    path.write_bytes(prompts(3, 11))
    (last,) = await mirror_once(swarm.store, path)
    assert last.stored_lines == 2
    assert await swarm.lines() == prompts(1, 11).splitlines()


async def test_a_rotated_file_is_read_to_its_end_and_the_next_begun(
    swarm: Swarm, tmp_path: Path
) -> None:
    path = tmp_path / "s-1.jsonl"
    path.write_bytes(prompts(1, 3))
    with path.open("ab") as writer:
        async with following(swarm.store, path):
            await eventually(lambda: has_lines(swarm, 3))
            path.rename(tmp_path / "s-1.jsonl.1")
            writer.write(prompts(4, 4))
            writer.flush()
            path.write_bytes(prompt_line("another", 1, "s-2"))
            await eventually(lambda: has_lines(swarm, 5))
    runs = {one.run_id for one in await swarm.events()}
    assert runs == {"s-1", "s-2"}


async def test_a_moved_file_is_followed_where_it_went(swarm: Swarm, tmp_path: Path) -> None:
    path, moved = tmp_path / "s-1.jsonl", tmp_path / "moved.jsonl"
    path.write_bytes(prompts(1, 3))
    async with following(swarm.store, path):
        await eventually(lambda: has_lines(swarm, 3))
        path.rename(moved)
        with moved.open("ab") as file:
            file.write(prompts(4, 4))
        await eventually(lambda: has_lines(swarm, 4))


async def test_a_mirror_that_follows_waits_for_the_bus(
    swarm: Swarm, nats_server: NatsServer, tmp_path: Path
) -> None:
    path = tmp_path / "s-1.jsonl"
    path.write_bytes(prompts(1, 2))
    async with following(swarm.store, path):
        await eventually(lambda: has_lines(swarm, 2))
        nats_server.kill()
        with path.open("ab") as file:
            file.write(prompts(3, 3))
        nats_server.start()
        await eventually(lambda: has_lines(swarm, 3), timeout=60)
    assert await swarm.lines() == prompts(1, 3).splitlines()
    assert await swarm.repeated_ids() == []


async def test_an_open_call_is_told_and_its_answer_too(swarm: Swarm, tmp_path: Path) -> None:
    path = tmp_path / "s-1.jsonl"
    path.write_bytes(prompts(1, 1) + call_line("c1", "Bash", {"command": "make"}))

    async def calls() -> list[str]:
        return [
            one.tool_call.tool_outcome for one in await swarm.events() if one.HasField("tool_call")
        ]

    async def is_told() -> bool:
        return await calls() == [""]

    async with following(swarm.store, path):
        await eventually(is_told)
    path.write_bytes(path.read_bytes() + result_line("c1", "done"))
    await mirror_once(swarm.store, path)
    assert await calls() == ["", "ok"]


async def test_a_secret_never_reaches_the_bus(swarm: Swarm, tmp_path: Path) -> None:
    secret = "ghp_" + "a1B2c3D4e5" * 4
    path = tmp_path / "s-1.jsonl"
    path.write_bytes(prompt_line(f"use\n{secret}\nplease") + call_line("c", "Bash", [secret]))
    (found,) = await mirror_once(swarm.store, path)
    raws = [one.SerializeToString() for one in await swarm.events()]
    assert not [raw for raw in raws if secret.encode() in raw]
    assert found.redactions == {"github_token": 2}


async def test_what_is_not_redacted_is_kept_byte_for_byte(swarm: Swarm, tmp_path: Path) -> None:
    path = tmp_path / "odd.jsonl"
    odd = prompt_line("ghp_" + "a1B2c3D4e5" * 4) + b'\xff\xfe{"half\n\r\n[1]\n' + prompts(2, 2)[:-1]
    path.write_bytes(odd)
    await mirror_once(swarm.store, path, is_on=False)
    assert b"\n".join(await swarm.lines()) == odd


async def test_a_line_beyond_a_message_comes_in_parts(swarm: Swarm, tmp_path: Path) -> None:
    path = tmp_path / "s-1.jsonl"
    line = prompt_line("x" * 9_000_000)
    path.write_bytes(line + prompts(2, 2))
    await mirror_once(swarm.store, path)
    parts = await swarm.lines()
    assert len(parts) == 4
    assert b"".join(parts[:3]) == line.rstrip(b"\n")
