"""`swarm export | import | backup | prune | quarantine | ingest` on real stacks."""

import asyncio
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import nats
import pytest
from nats.js.errors import NotFoundError

import nervous_system as ns
from infrastructure.history.blobs import Blobs
from infrastructure.history.client import open_history
from infrastructure.history.config import HistoryConfig
from nervous_system.comms.objects import BusContentStore
from nervous_system.schemas import AgentDecision, SwarmEvent
from tests.support.eventually import eventually_blocking
from tests.support.stacks import SWARM, Stack, running_stack, stack_at

CONTENT = b"new line\n" * 400_000  # more than three pieces
GARBAGE = b"\xff\xfe no event"
SAME_BYTES = (
    "select count() as events, hex(SHA256(groupConcat(hex(raw)))) as raw, "
    "groupArray(subject) as subjects, groupArray(stream_seq) as sequences, "
    "groupArray(hex(previous_digest)) as digests, groupArray(is_authenticated) as authenticated "
    "from (select * from swarm.events order by stream, stream_seq)"
)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack with an agent's events, its content, and messages that are no events."""
    with running_stack(tmp_path_factory.mktemp("keeping") / "home") as running:
        asyncio.run(work(running))
        yield running


async def work(stack: Stack) -> None:
    async with (
        ns.connect(home=stack.root) as swarm,
        swarm.agent("coder-1", role="coder", run_id="r1") as agent,
    ):
        await agent.decide(rationale="keep it", confidence=0.5)
        await agent.change_file("src/auth.py", before=b"old\n", after=CONTENT)
    client = await nats.connect(stack.record["nats_url"])
    nameless = SwarmEvent(event_id="no uuid", decision=AgentDecision(rationale="kept"))
    for raw in (GARBAGE, nameless.SerializeToString()):
        await client.jetstream().publish("swarm.events.coder.decision", raw)
    await client.close()


def content_of(stack: Stack, digest: str) -> bytes:
    """Return a content from history, or from the bus while it still is only there."""
    with open_history(HistoryConfig(dsn=stack.record["clickhouse_url"])) as history:
        blobs = Blobs(history)
        return blobs.get(digest) if blobs.exists(digest) else asyncio.run(on_bus(stack, digest))


async def on_bus(stack: Stack, digest: str) -> bytes:
    client = await nats.connect(stack.record["nats_url"])
    try:
        return await BusContentStore(client.jetstream(), servers="").get(digest)
    finally:
        await client.close()


def same_bytes(stack: Stack) -> dict[str, Any]:
    found: dict[str, Any] = stack.json("sql", SAME_BYTES)[0]
    return found


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", ["archive.jsonl", "archive.parquet"])
def test_an_export_imports_into_an_empty_home_as_it_was(
    stack: Stack, tmp_path: Path, name: str
) -> None:
    """Raw bytes, subjects, order, digests and contents; the old head is kept, the ledger is new."""
    archive = tmp_path / name
    exported = stack.json("export", str(archive))
    assert exported["contents"] == 2
    with running_stack(tmp_path / "other") as other:
        imported = other.json("import", str(archive))
        assert same_bytes(other) == same_bytes(stack)
        assert content_of(other, sha256(CONTENT).hexdigest()) == CONTENT
        (kept,) = other.json("sql", "select source_head, event_count from swarm.imports")
        assert kept == {
            "source_head": exported["streams"][0]["head"],
            "event_count": imported["events"],
        }
        again = other.json("import", str(archive))
        assert again["events"] == 0
        assert same_bytes(other) == same_bytes(stack)
        assert other.json("sql", "select count() as n from swarm.imports") == [{"n": 1}]
        assert other.json("verify")["ok"]


@pytest.mark.timeout(120)
def test_an_export_is_imported_through_a_pipe(stack: Stack, tmp_path: Path) -> None:
    exported = stack.swarm("export", "-").stdout
    with running_stack(tmp_path / "other") as other:
        other.swarm("import", "-", stdin=exported)
        assert same_bytes(other) == same_bytes(stack)


def test_an_export_is_not_imported_among_other_events(stack: Stack, tmp_path: Path) -> None:
    archive = tmp_path / "archive.jsonl"
    stack.swarm("export", str(archive))
    done = stack.swarm("import", str(archive), expected=1)
    assert "holds messages of its own" in done.stderr


def test_an_archive_that_was_cut_is_refused_before_anything_happens(
    stack: Stack, tmp_path: Path
) -> None:
    archive = tmp_path / "archive.jsonl"
    stack.swarm("export", str(archive))
    lines = archive.read_bytes().splitlines(keepends=True)
    archive.write_bytes(b"".join(lines[:-2]))
    before = same_bytes(stack)
    done = stack.swarm("import", str(archive), expected=1)
    assert done.stderr == "swarm: the archive cannot be used: it ends early\n"
    assert same_bytes(stack) == before


def test_an_export_as_json_lines_can_be_read_by_people(stack: Stack) -> None:
    done = stack.swarm("export", "-", "--format", "jsonl")
    records = [json.loads(line) for line in done.stdout.splitlines()]
    said = [record["event"] for record in records if record["type"] == "event" and record["event"]]
    assert "keep it" in [event.get("decision", {}).get("rationale") for event in said]


@pytest.mark.timeout(120)
def test_a_backup_starts_as_a_home_and_holds_the_same(stack: Stack, tmp_path: Path) -> None:
    """The stack runs while it is copied; the copy runs on its own and verifies."""
    report = stack.json("backup", str(tmp_path / "copy"))
    assert report["history"]["damaged_tables"] == []
    with stack_at(tmp_path / "copy") as copy:
        copy.up()
        assert same_bytes(copy) == same_bytes(stack)
        assert content_of(copy, sha256(CONTENT).hexdigest()) == CONTENT
        assert copy.json("verify")["ok"]
        copy.swarm("publish", stdin='{"systemSignal": {"status": "HEALTHY"}}')
        assert copy.json("events", "-n", "1")[0]["kind"] == "system_signal"


def test_a_backup_does_not_touch_what_is_there(stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("keep")
    assert "not empty" in stack.swarm("backup", str(tmp_path), expected=1).stderr
    assert os.listdir(tmp_path) == ["mine"]


def test_what_is_no_event_can_be_looked_at(stack: Stack, tmp_path: Path) -> None:
    listed = stack.json("quarantine", "ls")
    garbage = next(row for row in listed if row["raw_bytes"] == len(GARBAGE))
    place = f"#{garbage['stream_seq']}"
    file = tmp_path / "raw"
    shown = stack.json("quarantine", "show", place, "--output", str(file))
    assert file.read_bytes() == GARBAGE
    assert shown["undecodable_reason"] == garbage["undecodable_reason"]
    assert stack.swarm("quarantine", "show", "#999999", expected=1).stdout == ""


def test_redriving_publishes_once_what_should_have_been(stack: Stack) -> None:
    """An event without a good id gets one; what is no event needs a corrected one."""
    nameless, garbage = sorted(
        stack.json("quarantine", "ls"), key=lambda row: row["raw_bytes"] == len(GARBAGE)
    )
    first = stack.json("quarantine", "redrive", f"#{nameless['stream_seq']}")
    second = stack.json("quarantine", "redrive", f"#{nameless['stream_seq']}")
    assert second == {**first, "duplicate": True}
    (row,) = stack.json(
        "sql",
        "select rationale, attributes['redriven_from'] as origin from swarm.events "
        f"where event_id = '{first['event_id']}'",
    )
    assert row == {"rationale": "kept", "origin": f"ENCHANTED_SWARM#{nameless['stream_seq']}"}

    refused = stack.swarm("quarantine", "redrive", f"#{garbage['stream_seq']}", expected=1)
    assert "give the corrected event with --event FILE" in refused.stderr
    corrected = '{\n "agentId": "coder-1",\n "decision": {"rationale": "by hand"}\n}'
    stack.swarm(
        "quarantine", "redrive", f"#{garbage['stream_seq']}", "--event", "-", stdin=corrected
    )
    assert stack.json("events", "-n", "1")[0]["rationale"] == "by hand"


async def jump_to(stack: Stack, sequence: int) -> None:
    """Make the stream go on at `sequence`, as if everything before had expired."""
    client = await nats.connect(stack.record["nats_url"])
    await client.jetstream().purge_stream("ENCHANTED_SWARM", seq=sequence)
    await client.close()


@pytest.mark.timeout(120)
def test_pruning_drops_whole_partitions_and_keeps_their_heads(tmp_path: Path) -> None:
    """A partition is a million sequences; the newest stays whatever is asked for."""
    signal_line = '{"systemSignal": {"status": "HEALTHY"}}\n'
    with running_stack(tmp_path / "home") as stack:
        stack.swarm("publish", stdin=signal_line * 3)
        assert len(stack.json("events")) == 3
        heads = stack.json("sql", "select head from swarm.ledger order by stream_seq desc limit 1")
        asyncio.run(jump_to(stack, 1_000_010))
        stack.swarm("publish", stdin=signal_line)
        assert len(stack.json("events")) == 4

        would = stack.json("prune", "--older-than", "0s", "--dry-run")
        assert [(one["event_count"], one["is_dropped"]) for one in would] == [(3, False)]
        assert len(stack.json("events")) == 4
        assert stack.json("prune", "--older-than", "30d") == []
        assert stack.json("prune", "--keep", "2") == []

        (dropped,) = stack.json("prune", "--keep", "1")
        assert dropped["is_dropped"]
        assert [event["stream_seq"] for event in stack.json("events")] == [1_000_010]
        kept = stack.json("sql", "select head, event_count from swarm.pruned_heads")
        assert kept == [{"head": heads[0]["head"], "event_count": 3}]
        stack.swarm("publish", stdin=signal_line)
        assert len(stack.json("events")) == 2


def test_a_dry_run_does_not_say_that_something_was_dropped(stack: Stack) -> None:
    done = stack.swarm("prune", "--older-than", "30d", "--dry-run")
    assert done.stderr == "would drop 0 events\n"


@pytest.mark.timeout(120)
def test_a_second_ingestor_in_the_foreground_changes_nothing(stack: Stack) -> None:
    """Ctrl-C lets it finish; each message is one row all the same."""
    process = subprocess.Popen(
        [SWARM, "ingest", "--home", str(stack.root)], stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stderr is not None
        assert "serving" in process.stderr.readline()
        before = int(stack.json("sql", "select count() as n from swarm.events")[0]["n"])
        stack.swarm("publish", stdin='{"systemSignal": {"status": "HEALTHY"}}\n' * 500)
        after = stack.json(
            "sql", "select count() as n, uniqExact(stream_seq) as u from swarm.events"
        )
        assert after == [{"n": before + 500, "u": before + 500}]
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0


async def delete_last(stack: Stack) -> None:
    client = await nats.connect(stack.record["nats_url"])
    try:
        info = await client.jetstream().stream_info("ENCHANTED_SWARM")
        await client.jetstream().delete_msg("ENCHANTED_SWARM", info.state.last_seq)
    except NotFoundError:
        pytest.fail("there is nothing to delete")
    finally:
        await client.close()


@pytest.mark.timeout(120)
def test_a_message_that_was_deleted_is_not_waited_for(tmp_path: Path) -> None:
    """The end of the stream is then a sequence that no message has."""
    with running_stack(tmp_path / "home") as stack:
        stack.swarm("publish", stdin='{"systemSignal": {"status": "HEALTHY"}}\n')
        eventually_blocking(lambda: len(stack.json("events")) == 1)
        pid = stack.pid("ingestor")
        os.kill(pid, signal.SIGSTOP)
        try:
            stack.swarm("publish", stdin='{"systemSignal": {"status": "CRITICAL_FAILURE"}}\n')
            asyncio.run(delete_last(stack))
            assert len(stack.json("events")) == 1
        finally:
            os.kill(pid, signal.SIGCONT)
