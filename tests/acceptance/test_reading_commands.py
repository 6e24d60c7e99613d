"""`swarm publish | events | tail | sql | replay` on a real stack, as a user types them."""

import json
import os
import signal
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nats
import pyarrow.parquet as pq
import pytest

from nervous_system import events
from tests.support.eventually import eventually_blocking
from tests.support.stacks import SWARM, Stack, running_stack

RUN = "run-reading"
NINES = "2026-05-01T10:00:00.123456789Z"
DECISION = {
    "agentRole": "ROLE_CODER",
    "agentId": "coder-1",
    "runId": RUN,
    "traceId": "0af7651916cd43dd8448eb211c80319c",
    "timestamp": NINES,
    "decision": {"rationale": "split the adapter", "confidenceScore": 0.9},
}
CHANGE = {
    "agentRole": "ROLE_REVIEWER",
    "agentId": "reviewer-1",
    "runId": RUN,
    "timestamp": "2026-05-01T10:00:01Z",
    "stateChange": {"targetType": "FILE_SYSTEM", "targetResource": "src/auth.py"},
}
SIGNAL = {
    "agentRole": "ROLE_CODER",
    "agentId": "coder-1",
    "runId": RUN,
    "timestamp": "2026-05-01T10:00:02Z",
    "systemSignal": {"status": "HEALTHY"},
}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("reading") / "home") as running:
        publish(running, DECISION, CHANGE, SIGNAL)
        yield running


def lines(*events: dict[str, Any]) -> str:
    return "".join(json.dumps(event) + "\n" for event in events)


def publish(stack: Stack, *events: dict[str, Any]) -> list[dict[str, Any]]:
    done = stack.swarm("publish", "--json", stdin=lines(*events))
    receipts: list[dict[str, Any]] = json.loads(done.stdout)
    return receipts


def listed(stack: Stack, *arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = stack.json("events", "--run", RUN, *arguments)
    return found


def test_what_was_published_is_in_the_next_answer(stack: Stack) -> None:
    """Receipts are true, and reading waits for what was published before."""
    run_id = f"run-{uuid.uuid4()}"
    receipts = publish(stack, {**SIGNAL, "runId": run_id})
    (row,) = stack.json(
        "sql", f"select stream, stream_seq, event_id from swarm.events where run_id = '{run_id}'"
    )
    assert row == {
        "stream": receipts[0]["stream"],
        "stream_seq": receipts[0]["sequence"],
        "event_id": receipts[0]["event_id"],
    }
    assert not receipts[0]["duplicate"]


def test_one_bad_line_and_nothing_is_published(stack: Stack) -> None:
    """Each bad line is named with its field."""
    run_id = f"run-{uuid.uuid4()}"
    good = {**SIGNAL, "runId": run_id}
    bad = [{**good, "eventId": "x"}, {**good, "traceId": "zz"}, {**good, "sistemSignal": {}}]
    done = stack.swarm("publish", stdin=lines(good, *bad) + "nonsense\n", expected=1)
    reported = done.stderr.splitlines()
    assert [line.split(": ")[:2] for line in reported[:4]] == [
        ["line 2", "event_id"],
        ["line 3", "trace_id"],
        ["line 4", "sistemSignal"],
        ["line 5", "not JSON"],
    ]
    assert reported[4] == "swarm: 4 of 5 lines are no event; nothing was published"
    assert stack.json("events", "--run", run_id) == []


def test_publishing_a_file_with_ids_again_stores_nothing_twice(
    stack: Stack, tmp_path: Path
) -> None:
    """Also long after the server's own window: the repeat is looked up in history."""
    run_id = f"run-{uuid.uuid4()}"
    file = tmp_path / "events.jsonl"
    file.write_text(
        lines(*({**SIGNAL, "runId": run_id, "eventId": str(uuid.uuid4())} for _ in range(20)))
    )
    first = stack.json("publish", str(file))
    assert len(stack.json("events", "--run", run_id)) == 20
    second = stack.json("publish", str(file))
    assert [receipt["sequence"] for receipt in second] == [r["sequence"] for r in first]
    assert all(receipt["duplicate"] for receipt in second)
    assert len(stack.json("events", "--run", run_id)) == 20


def test_a_secret_in_a_published_text_stays_here(stack: Stack) -> None:
    """Numbered events stay as they are: their emitter's chain is over their bytes."""
    secret = "sk-ant-" + "api03-" + "A1b2C3d4" * 5
    run_id = f"run-{uuid.uuid4()}"
    plain = {"runId": run_id, "agentId": "a", "decision": {"rationale": f"with {secret}"}}
    numbered = {**plain, "emitterId": f"emitter-{run_id}", "emitterSeq": "1"}
    publish(stack, plain)
    publish(stack, numbered)
    rows = stack.json(
        "sql",
        "select position(rationale, 'api03') > 0 as leaks, length(redactions) as kinds, "
        f"emitter_seq from swarm.events where run_id = '{run_id}' order by emitter_seq",
    )
    assert [(row["emitter_seq"], row["leaks"], row["kinds"]) for row in rows] == [
        (0, 0, 1),
        (1, 1, 0),
    ]


def test_lines_become_events_in_the_order_of_the_file(stack: Stack) -> None:
    run_id = f"run-{uuid.uuid4()}"
    events = [{**SIGNAL, "runId": run_id, "attributes": {"n": str(n)}} for n in range(3_000)]
    receipts = publish(stack, *events)
    sequences = [receipt["sequence"] for receipt in receipts]
    assert sequences == sorted(set(sequences))
    (row,) = stack.json(
        "sql",
        "select groupArray(toUInt32(attributes['n'])) as numbers from "
        f"(select attributes from swarm.events where run_id = '{run_id}' order by stream_seq)",
    )
    assert row["numbers"] == list(range(3_000))


@pytest.mark.parametrize(
    ("arguments", "kinds"),
    [
        ([], ["decision", "state_change", "system_signal"]),
        (["--role", "coder"], ["decision", "system_signal"]),
        (["--agent", "reviewer-1"], ["state_change"]),
        (["--kind", "system_signal"], ["system_signal"]),
        (["--trace", "0AF7651916CD43DD8448EB211C80319C"], ["decision"]),
        (["--resource", "src/auth.py"], ["state_change"]),
        (["--since", "2026-05-01T10:00:01Z"], ["state_change", "system_signal"]),
        (["--until", "2026-05-01T12:00:01+02:00"], ["decision", "state_change"]),
        (["--role", "coder", "--kind", "state_change"], []),
        (["--limit", "1"], ["system_signal"]),
    ],
)
def test_filters_choose_the_same_in_every_command(
    stack: Stack, arguments: list[str], kinds: list[str]
) -> None:
    assert [event["kind"] for event in listed(stack, *arguments)] == kinds
    if "--limit" not in arguments:
        replayed = stack.swarm("replay", "--run", RUN, *arguments).stdout.splitlines()
        assert [json.loads(line)["kind"] for line in replayed] == kinds


def test_an_event_looks_the_same_from_history_and_from_the_stream(stack: Stack) -> None:
    (event,) = listed(stack, "--kind", "decision")
    (line,) = stack.swarm("replay", "--run", RUN, "--kind", "decision").stdout.splitlines()
    assert json.loads(line) == event
    followed = stack.swarm(
        "tail", "--run", RUN, "--kind", "decision", "--since", "2020-01-01", "-n", "1"
    )
    assert json.loads(followed.stdout) == event
    assert event["event_time"] == NINES
    assert event["confidence_score"] == 0.9


def test_tail_prints_what_comes_from_then_on(stack: Stack) -> None:
    """JSON lines in a pipe; the filter holds; Ctrl-C ends it without a word."""
    run_id = f"run-{uuid.uuid4()}"
    process = subprocess.Popen(
        [SWARM, "tail", "--run", run_id, "--home", str(stack.root)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stderr.readline().startswith("following ENCHANTED_SWARM from #")
        publish(stack, {**SIGNAL, "runId": "another"}, {**SIGNAL, "runId": run_id})
        assert json.loads(process.stdout.readline())["run_id"] == run_id
        process.send_signal(signal.SIGINT)
        rest = process.communicate(timeout=20)
    finally:
        process.kill()
        process.wait()
    assert rest == ("", "")
    assert process.returncode == 130


def test_tail_up_to_a_time_that_has_passed_prints_what_is_stored(stack: Stack) -> None:
    asked = ["tail", "--run", RUN, "--since", "2026-01-01", "--until", "2026-05-01T10:00:01.5Z"]
    printed = [json.loads(line) for line in stack.swarm(*asked).stdout.splitlines()]
    assert [event["kind"] for event in printed] == ["decision", "state_change"]
    done = stack.swarm(*asked, "-n", "3", expected=1)
    assert done.stderr.splitlines()[-1].startswith("swarm: 2 of 3 events came in time")


@pytest.mark.parametrize(
    "command",
    [
        "sql --json 'select number from numbers(200000)'",
        "sql --format csv 'select number from numbers(2000000)'",
        "sql 'select number from numbers(200000)'",
        "events -n 1 --json",
        "replay --speed original --max-pause 0.1s",
    ],
)
def test_reader_that_has_seen_enough_is_no_failure(stack: Stack, command: str) -> None:
    pipe = f"set -o pipefail; {SWARM} {command} --home {stack.root} | head -c 1"
    done = subprocess.run(["bash", "-c", pipe], capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")


def test_tail_that_sees_too_few_in_time_fails(stack: Stack) -> None:
    done = stack.swarm("tail", "--run", "nobody", "-n", "2", "--timeout", "0.3", expected=1)
    assert done.stderr.splitlines()[-1].startswith("swarm: 0 of 2 events came in time")


def test_events_about_the_work_itself_are_taken_shown_and_exported(
    stack: Stack, tmp_path: Path
) -> None:
    """What was published as JSON looks the same from history, the stream and an archive."""
    run_id = f"run-{uuid.uuid4()}"
    published: list[dict[str, Any]] = [
        {"toolCall": {"toolName": "lint", "toolArguments": "{}", "toolDurationUs": str(2**60)}},
        {"task_transition": {"task_id": "t1", "task_state": "READY", "task_fence": 2**60}},
        {"runTransition": {"runState": "RUNNING", "runReason": "password=hunter2"}},
        {"modelCall": {"modelName": "offline", "inputTokens": 7}},
    ]
    publish(stack, *({**one, "runId": run_id} for one in published))
    found = stack.json("events", "--run", run_id)
    replayed = stack.swarm("replay", "--run", run_id).stdout.splitlines()
    assert [json.loads(line) for line in replayed] == found
    assert [event["kind"] for event in found] == [
        *("tool_call", "task_transition", "run_transition", "model_call")
    ]
    assert found[0]["tool_duration_us"] == found[1]["task_fence"] == 2**60
    assert found[2]["run_reason"] == "password=[redacted:assigned_secret]"
    query = "select run_state, tool_calls, task_state from swarm.runs join swarm.tasks using run_id"
    (row,) = stack.json("sql", f"{query} where run_id = '{run_id}'")
    assert row == {"run_state": "RUNNING", "tool_calls": 1, "task_state": "READY"}
    shown = stack.swarm("events", "--run", run_id, "--kind", "model_call").stdout
    assert "offline 7 in, 0 out" in shown
    archive = tmp_path / "all.jsonl"
    stack.swarm("export", str(archive))
    records = [json.loads(line) for line in archive.read_text().splitlines()]
    said = [one["event"] for one in records if (one.get("event") or {}).get("runId") == run_id]
    assert said[0]["toolCall"]["toolName"] == "lint"
    assert said[1]["taskTransition"]["taskFence"] == str(2**60)


async def test_tail_shows_tasks_and_runs_from_the_stream_of_coordination(stack: Stack) -> None:
    run_id = f"run-{uuid.uuid4()}"
    transition = events.task_transition("t1", state="RUNNING", trigger="claim", worker="w")
    raw = events.encode(events.build(transition, run_id=run_id))
    publish(stack, {**SIGNAL, "runId": run_id, "timestamp": None})
    client = await nats.connect(stack.record["nats_url"])
    try:
        await client.jetstream().publish(f"swarm.coordination.task.{run_id}.t1", raw)
    finally:
        await client.close()
    asked = ["tail", "--run", run_id, "--since", "5m", "-n", "2", "--timeout", "20"]
    printed = [json.loads(line) for line in stack.swarm(*asked).stdout.splitlines()]
    assert {(event["stream"], event["kind"]) for event in printed} == {
        ("ENCHANTED_SWARM", "system_signal"),
        ("SWARM_COORDINATION", "task_transition"),
    }


def test_sql_is_exact_in_json(stack: Stack) -> None:
    """64-bit integers as numbers, times RFC 3339 in UTC, other bytes base64."""
    (row,) = stack.json(
        "sql",
        "select 18446744073709551615 as big, unhex('ff00') as bytes, 'é' as text, "
        "toDateTime64('2026-05-01 10:00:00.5', 3, 'Asia/Tokyo') as at, [1, 2] as list",
    )
    assert row == {
        "big": 18446744073709551615,
        "bytes": "/wA=",
        "text": "é",
        "at": "2026-05-01T01:00:00.500Z",
        "list": [1, 2],
    }


def test_sql_speaks_table_csv_and_parquet(stack: Stack, tmp_path: Path) -> None:
    query = "select number as n, {word:String} as word from numbers(2)"
    word = ["--param", 'word=a,"b"']
    assert stack.swarm("sql", query, *word).stdout == 'n  word\n0  a,"b"\n1  a,"b"\n'
    assert stack.swarm("sql", query, *word, "--format", "csv").stdout == (
        'n,word\n0,"a,""b"""\n1,"a,""b"""\n'
    )
    file = tmp_path / "out.parquet"
    stack.swarm("sql", query, *word, "--format", "parquet", "--output", str(file))
    table = pq.read_table(file)  # type: ignore[no-untyped-call] # pyarrow has no types
    assert table.column("n").to_pylist() == [0, 1]


def test_sql_reads_its_query_from_stdin(stack: Stack) -> None:
    assert stack.swarm("sql", stdin="select 1 as one;\n").stdout == "one\n1\n"


@pytest.mark.parametrize(
    "query",
    ["selec 1", "insert into swarm.events (stream) values ('x')", "select * from url('http://x')"],
)
def test_sql_that_is_refused_is_one_line_and_code_1(stack: Stack, query: str) -> None:
    done = stack.swarm("sql", query, expected=1)
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("swarm: query ")


@pytest.mark.parametrize(
    "arguments",
    [
        ["events", "--role", "pilot"],
        ["events", "--since", "yesterday"],
        ["tail", "--kind", "thought"],
        ["replay", "--speed", "fast"],
        ["replay", "--first", "5", "--last", "2"],
        ["sql", "select 1", "--format", "xml"],
        ["sql", "  "],
        ["prune"],
        ["publish", "--nonsense"],
    ],
)
def test_wrong_usage_is_code_2(stack: Stack, arguments: list[str]) -> None:
    assert stack.swarm(*arguments, expected=2).stdout == ""


def test_a_file_that_is_not_there_is_one_line(stack: Stack) -> None:
    done = stack.swarm("publish", "/nowhere/events.jsonl", expected=1)
    assert done.stderr == "swarm: No such file or directory: /nowhere/events.jsonl\n"


def test_replay_at_another_speed_prints_the_same(stack: Stack) -> None:
    """Two seconds of events at ten times their speed, with long pauses cut."""
    asked = ["replay", "--run", RUN, "--speed", "10x", "--max-pause", "0.05s"]
    assert len(stack.swarm(*asked).stdout.splitlines()) == 3


async def test_replay_republishes_byte_for_byte_under_another_prefix(stack: Stack) -> None:
    """Copies are messages like any other there, and no events of the swarm."""
    before = stack.json("sql", "select count() as n from swarm.events")
    client = await nats.connect(stack.record["nats_url"])
    try:
        copies = await client.subscribe("swarm.replay.>")
        await client.flush()
        stack.swarm("replay", "--run", RUN, "--to", "swarm.replay")
        received = [await copies.next_msg(timeout=10) for _ in range(3)]
    finally:
        await client.close()
    rows = stack.json(
        "sql",
        "select replaceOne(subject, 'swarm.events.', 'swarm.replay.') as subject, hex(raw) as raw "
        f"from swarm.events where run_id = '{RUN}' order by stream_seq",
    )
    assert [(m.subject, m.data.hex().upper()) for m in received] == [
        (row["subject"], row["raw"]) for row in rows
    ]
    assert stack.json("sql", "select count() as n from swarm.events") == before


def test_replay_into_the_events_is_refused(stack: Stack) -> None:
    done = stack.swarm("replay", "--to", "swarm.events.copy", expected=1)
    assert "swarm.events" in done.stderr
    done = stack.swarm("replay", "--to", "", expected=1)
    assert "'' is not a subject prefix" in done.stderr


def test_with_the_stack_down_every_command_says_so_with_code_3(tmp_path: Path) -> None:
    stack = Stack(tmp_path / "home")
    for arguments in (
        ["events"],
        ["sql", "select 1"],
        ["sql", "select 1", "--no-wait"],
        ["tail"],
        ["replay"],
        ["publish"],
        ["quarantine", "ls"],
        ["export", str(tmp_path / "x")],
        ["prune", "--keep", "1"],
        ["ingest"],
    ):
        done = stack.swarm(*arguments, expected=3)
        assert done.stderr.startswith("swarm: no stack runs for "), arguments


@pytest.mark.timeout(150)
def test_history_that_does_not_catch_up_is_told_by_how_much(tmp_path: Path) -> None:
    """Lag is lag: exit code 1 and a number; --no-wait reads what is there."""
    with running_stack(tmp_path / "home") as stack:
        publish(stack, SIGNAL)
        assert len(listed(stack)) == 1
        pid = stack.pid("ingestor")
        os.kill(pid, signal.SIGSTOP)
        try:
            publish(stack, SIGNAL, SIGNAL)
            done = stack.swarm("events", expected=1)
            assert "history is 2 events behind the stream after 10 s" in done.stderr
            assert len(listed(stack, "--no-wait")) == 1
        finally:
            os.kill(pid, signal.SIGCONT)
        eventually_blocking(lambda: len(listed(stack)) == 3)
