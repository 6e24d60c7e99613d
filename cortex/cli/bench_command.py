"""`swarm bench`: measure this machine, each figure beside its baseline."""

import asyncio
import enum
import os
import platform
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from cortex.cli import options
from cortex.cli.bench.coordination import measure_coordination
from cortex.cli.bench.copies import multiply
from cortex.cli.bench.corpus import Corpus
from cortex.cli.bench.hooks import measure_hooks
from cortex.cli.bench.ingest import lay_backlog, measure_ingest, memory_mib
from cortex.cli.bench.intake import measure_intake
from cortex.cli.bench.latency import idle_to_sql_ms
from cortex.cli.bench.load import load
from cortex.cli.bench.memory import measure_memory
from cortex.cli.bench.publish import measure_publish
from cortex.cli.bench.query import measure_disk, measure_queries
from cortex.cli.bench.recovery import measure_recovery
from cortex.cli.bench.redaction import MEGABYTE, measure_redaction
from cortex.cli.bench.report import Figures, table_lines
from cortex.cli.bench.rig import open_rig
from cortex.cli.bench.tasks import measure_tasks
from cortex.cli.bench.verify import lay_numbered, verify_rate
from cortex.cli.interrupting import cleaning_up_at_signals
from cortex.cli.output import print_json

if TYPE_CHECKING:
    from collections.abc import Callable

CATCH_UP_SECONDS = 1_200.0
TASK_COUNT = 1_000
IDLE_COUNT = 200
TRANSCRIPT_BYTES = 20 * MEGABYTE
HOOK_COUNT = 60


class Part(enum.StrEnum):
    """A part of the benchmark."""

    INGEST = "ingest"
    PUBLISH = "publish"
    HISTORY = "history"
    TASKS = "tasks"
    COORDINATION = "coordination"
    VERIFY = "verify"
    RECOVERY = "recovery"
    REDACTION = "redaction"
    HOOKS = "hooks"
    INTAKE = "intake"
    LONG = "long"
    MEMORY = "memory"


LENGTHY = {Part.LONG, Part.MEMORY}
"""Parts that take many minutes: measured where they are asked for."""


def bench(
    events: Annotated[
        int, typer.Option(min=1, help="How many events to lay into the stream for each part.")
    ] = 600_000,
    rounds: Annotated[int, typer.Option(min=1, help="How often each comparison is repeated.")] = 3,
    past_events: Annotated[
        int,
        typer.Option(
            min=0, help="How long the history is whose past is asked for; 0: as --events."
        ),
    ] = 0,
    long_events: Annotated[
        int,
        typer.Option(
            min=1,
            help="How long the history of --only long is; beyond --events it is made of copies.",
        ),
    ] = 10_000_000,
    away_seconds: Annotated[
        int, typer.Option(min=1, help="How long --only memory takes history away.")
    ] = 180,
    only: Annotated[
        list[Part] | None,
        typer.Option(
            "--only", help="Measure this part; repeatable. Default: all but the last two."
        ),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Measure speed on this machine: each figure beside a baseline of the same run.

    Runs a stack of its own in a temporary home; yours is not touched, but takes part in the noise.
    The default takes some five minutes and 3 GB of disk. What is left out takes many minutes each:
    `long`, questions to a long history, and `memory`, that of the ingestor while history is away.
    """
    with cleaning_up_at_signals():
        measured = _measure(set(only or set(Part) - LENGTHY), events, rounds, past_events or events)
        if only and Part.LONG in only:
            measured |= _long_part(events, long_events)
        if only and Part.MEMORY in only:
            measured |= _memory_part(events, away_seconds)
    result = Figures(machine=_machine(), events=events, **measured).as_json()  # type: ignore[arg-type] # names are Figures'
    if as_json:
        print_json(result)
        return
    for line in table_lines(result):
        print(line)


def _measure(parts: set[Part], events: int, rounds: int, past_events: int) -> dict[str, object]:
    measures: dict[Part, Callable[[], dict[str, object]]] = {
        Part.REDACTION: lambda: _redaction_part(rounds),
        Part.HOOKS: _hooks_part,
        Part.INTAKE: lambda: _intake_part(rounds),
        Part.PUBLISH: lambda: _publish_part(events, rounds),
        Part.INGEST: lambda: _ingest_part(events, rounds),
        Part.TASKS: lambda: _tasks_part(rounds),
        Part.COORDINATION: _coordination_part,
        Part.HISTORY: lambda: _history_part(events),
        Part.VERIFY: lambda: _verify_part(events),
        Part.RECOVERY: lambda: _recovery_part(past_events),
    }
    measured: dict[str, object] = {}
    for part, measure in measures.items():
        if part in parts:
            measured |= measure()
    return measured


def _redaction_part(rounds: int) -> dict[str, object]:
    _say("looking for secrets in transcripts")
    return {"redaction": measure_redaction(TRANSCRIPT_BYTES, rounds)}


def _hooks_part() -> dict[str, object]:
    _say("running the command of a hook")
    return {"hooks": measure_hooks(HOOK_COUNT)}


def _publish_part(events: int, rounds: int) -> dict[str, object]:
    _say("publishing")
    with open_rig() as rig:
        return {"publish": asyncio.run(measure_publish(rig, max(20_000, events // 6), rounds))}


def _intake_part(rounds: int) -> dict[str, object]:
    _say("mirroring transcripts")
    with open_rig() as rig:
        return {"intake": asyncio.run(measure_intake(rig, TRANSCRIPT_BYTES, rounds))}


def _tasks_part(rounds: int) -> dict[str, object]:
    _say(f"letting workers complete {TASK_COUNT} tasks")
    with open_rig() as rig:
        return {"tasks": asyncio.run(measure_tasks(rig, TASK_COUNT, rounds))}


def _coordination_part() -> dict[str, object]:
    _say("letting two agents share a project")
    with open_rig() as rig:
        return {"coordination": asyncio.run(measure_coordination(rig))}


def _ingest_part(events: int, rounds: int) -> dict[str, object]:
    with open_rig() as rig:
        _say(f"laying {events} events into the stream")
        asyncio.run(lay_backlog(rig, events))
        _say("ingesting them, in turn the plain way and ours")
        ingest = measure_ingest(rig, events, rounds)
    return {"ingest": ingest}


def _history_part(events: int) -> dict[str, object]:
    with open_rig() as rig:
        _say(f"laying {events} events of mixed kinds into history")
        asyncio.run(load(rig.nats_url, Corpus().mixed(events)))
        with rig.ingestor() as child:
            rig.wait_until_highest(events, CATCH_UP_SECONDS)
            memory = memory_mib(child.pid)
            _say("publishing on an idle system")
            idle = asyncio.run(idle_to_sql_ms(rig, IDLE_COUNT))
            _say("asking history")
            disk = measure_disk(rig)
            queries = measure_queries(rig)
            _say("verifying")
            rate = verify_rate(rig)
    return {
        "ingestor_memory_mib": memory,
        "idle_ms": idle,
        "queries": queries,
        "disk": disk,
        "verify_events_per_s": rate,
    }


def _recovery_part(events: int) -> dict[str, object]:
    with open_rig() as rig:
        _say(f"laying the history of one workspace, {events} events, and asking for its past")
        return {"recovery": measure_recovery(rig, events)}


def _long_part(events: int, total: int) -> dict[str, object]:
    with open_rig() as rig:
        _say(f"laying {events} events of mixed kinds into history, and copies up to {total}")
        asyncio.run(load(rig.nats_url, Corpus().mixed(events)))
        with rig.ingestor():
            rig.wait_until_highest(events, CATCH_UP_SECONDS)
        multiply(rig, events, total)
        _say("merging and asking them")
        disk = measure_disk(rig)
        return {"long_rows": disk.rows, "long_queries": measure_queries(rig)}


def _memory_part(events: int, away_seconds: int) -> dict[str, object]:
    with open_rig() as rig:
        _say(f"ingesting {events} events, then taking history away for {away_seconds} s")
        return {"memory": measure_memory(rig, events, away_seconds)}


def _verify_part(events: int) -> dict[str, object]:
    with open_rig() as rig:
        _say(f"publishing {events} events that agents number and link")
        count = asyncio.run(lay_numbered(rig, events))
        with rig.ingestor():
            rig.wait_until_highest(count, CATCH_UP_SECONDS)
            _say("verifying them")
            return {"verify_numbered_events_per_s": verify_rate(rig)}


def _machine() -> dict[str, object]:
    return {
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def _say(what: str) -> None:
    if sys.stderr.isatty():
        print(f"bench: {what}", file=sys.stderr, flush=True)
