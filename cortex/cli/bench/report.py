"""The figures of one run: one object for `--json`, a table for people."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cortex.cli.bench.coordination import CoordinationFigures
from cortex.cli.bench.hooks import HookFigures
from cortex.cli.bench.ingest import IngestFigures
from cortex.cli.bench.intake import IntakeFigures
from cortex.cli.bench.measure import quantile
from cortex.cli.bench.memory import MemoryFigures
from cortex.cli.bench.publish import PublishFigures
from cortex.cli.bench.query import DiskFigures, Latency
from cortex.cli.bench.recovery import RecoveryFigures
from cortex.cli.bench.redaction import RedactionFigures
from cortex.cli.bench.tasks import TaskFigures


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What was measured; None: that part was not asked for."""

    machine: Mapping[str, Any]
    events: int
    ingest: IngestFigures | None = None
    ingestor_memory_mib: int | None = None
    publish: PublishFigures | None = None
    idle_ms: list[float] | None = None
    queries: Mapping[str, Latency] | None = None
    disk: DiskFigures | None = None
    verify_events_per_s: float | None = None
    verify_numbered_events_per_s: float | None = None
    recovery: RecoveryFigures | None = None
    tasks: TaskFigures | None = None
    coordination: CoordinationFigures | None = None
    redaction: RedactionFigures | None = None
    hooks: HookFigures | None = None
    intake: IntakeFigures | None = None
    long_rows: int | None = None
    long_queries: Mapping[str, Latency] | None = None
    memory: MemoryFigures | None = None

    def as_json(self) -> dict[str, Any]:
        """Return one object: the ratios on top, the absolute figures behind them below."""
        found: dict[str, Any] = {"machine": dict(self.machine), "events": self.events}
        for part in (_ingest, _publish, _idle, _history, _recovery, _tasks, *_OTHERS):
            found.update(part(self))
        return found


def _ingest(figures: Figures) -> dict[str, Any]:
    if figures.ingest is None:
        return {}
    return {
        "ingest_ratio": round(figures.ingest.ratio, 2),
        "ingest_events_per_s": [round(rate) for rate in figures.ingest.ours],
        "plain_ingest_events_per_s": [round(rate) for rate in figures.ingest.plain],
        "ingestor_memory_mib": figures.ingest.memory_mib,
    }


def _publish(figures: Figures) -> dict[str, Any]:
    found = figures.publish
    if found is None:
        return {}
    return {
        "publish_ratio": round(found.ratio, 2),
        "publish_waiting_ratio": round(found.waiting_ratio, 2),
        "lone_publish_ratio": round(found.lone_ratio, 2),
        "handover_us": round(found.handover_us, 1),
        "handover_us_p99": round(found.handover_p99_us, 1),
        "handover_cpu_us_per_event": round(found.handover_cpu_us, 1),
        "publish_events_per_s": [round(rate) for rate in found.in_flight],
        "publish_waiting_events_per_s": [round(rate) for rate in found.waiting],
        "plain_publish_events_per_s": [round(rate) for rate in found.plain],
        "lone_publish_ms_p50": [round(time, 3) for time in found.lone_p50_ms],
        "plain_publish_ms_p50": [round(time, 3) for time in found.plain_p50_ms],
    }


def _idle(figures: Figures) -> dict[str, Any]:
    if figures.idle_ms is None:
        return {}
    return {
        "idle_to_sql_ms_p99": round(quantile(figures.idle_ms, 0.99), 1),
        "idle_to_sql_ms_p50": round(quantile(figures.idle_ms, 0.5), 1),
    }


def _history(figures: Figures) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if figures.ingestor_memory_mib is not None:
        found["ingestor_memory_mib"] = figures.ingestor_memory_mib
    if figures.queries is not None:
        found["query_ms"] = {name: round(one.p50, 1) for name, one in figures.queries.items()}
        found["query_ms_p99"] = {name: round(one.p99, 1) for name, one in figures.queries.items()}
    if figures.disk is not None:
        found["disk_ratio"] = round(figures.disk.ratio, 3)
        found["disk"] = {
            "rows": figures.disk.rows,
            "raw_bytes": figures.disk.raw_bytes,
            "disk_bytes": figures.disk.disk_bytes,
            "by_column": figures.disk.by_column,
        }
    if figures.verify_events_per_s is not None:
        found["verify_events_per_s"] = round(figures.verify_events_per_s)
    if figures.verify_numbered_events_per_s is not None:
        found["verify_numbered_events_per_s"] = round(figures.verify_numbered_events_per_s)
    return found


def _recovery(figures: Figures) -> dict[str, Any]:
    found = figures.recovery
    if found is None:
        return {}
    return {
        "past_events": found.events,
        "past_files": found.files,
        "past_state_ms": round(max(found.state_ms), 1),
        "past_state_ms_p99": round(found.state_ms_p99, 1),
        "past_state_ms_by_age": [round(time, 1) for time in found.state_ms],
        "past_file_ms": round(max(found.file_ms), 1),
        "past_file_ms_p99": round(found.file_ms_p99, 1),
        "past_file_ms_by_age": [round(time, 1) for time in found.file_ms],
    }


def _tasks(figures: Figures) -> dict[str, Any]:
    found = figures.tasks
    if found is None:
        return {}
    return {
        "task_overhead_ms_p50": round(quantile(found.overhead_ms, 0.5), 1),
        "task_overhead_ms_p99": round(quantile(found.overhead_ms, 0.99), 1),
        "tasks_per_s": [round(rate) for rate in found.per_s],
        "tasks_per_s_workers_killed": round(found.killed_per_s),
        "workers_killed": found.kills,
    }


def _long(figures: Figures) -> dict[str, Any]:
    if figures.long_queries is None:
        return {}
    found = figures.long_queries
    return {
        "long_rows": figures.long_rows,
        "long_query_ms": {name: round(one.p50, 1) for name, one in found.items()},
        "long_query_ms_p99": {name: round(one.p99, 1) for name, one in found.items()},
    }


def _memory(figures: Figures) -> dict[str, Any]:
    found = figures.memory
    if found is None:
        return {}
    return {
        "ingestor_memory_mib_by_tenth": found.by_tenth,
        "history_away_s": found.away_seconds,
        "history_away_events": found.away_published,
        "ingestor_memory_away_mib": found.away_mib,
        "ingestor_memory_after_mib": found.after_mib,
    }


def _redaction(figures: Figures) -> dict[str, Any]:
    found = figures.redaction
    if found is None:
        return {}
    return {
        "redaction_mb_per_s": [round(rate) for rate in found.ours],
        "naive_redaction_mb_per_s": [round(rate, 1) for rate in found.naive],
        "redaction_ratio": round(found.ratio, 1),
        "redaction_planted": found.planted,
        "redaction_missed": found.missed,
        "redaction_taken_for_secrets_per_mb": round(
            found.taken_for_secrets / (found.size_bytes / 1_000_000), 2
        ),
    }


def _hooks(figures: Figures) -> dict[str, Any]:
    found = figures.hooks
    if found is None:
        return {}
    return {
        "hook_ms_p50": round(quantile(found.answered_ms, 0.5), 1),
        "hook_ms_p99": round(quantile(found.answered_ms, 0.99), 1),
        "hook_away_ms_p50": round(quantile(found.away_ms, 0.5), 1),
        "hook_bare_interpreter_ms_p50": round(quantile(found.bare_ms, 0.5), 1),
    }


def _intake(figures: Figures) -> dict[str, Any]:
    found = figures.intake
    if found is None:
        return {}
    return {
        "mirrored_mb": round(found.size_bytes / 1_000_000, 1),
        "mirror_s": [round(one, 2) for one in found.seconds],
        "mirror_cpu_s": [round(one, 2) for one in found.cpu_seconds],
        "plain_mirror_s": [round(one, 2) for one in found.plain_seconds],
        "mirror_again_s": round(found.again_seconds, 2),
        "follow_ms_p50": round(quantile(found.follow_ms, 0.5), 1),
        "follow_ms_p99": round(quantile(found.follow_ms, 0.99), 1),
    }


def _coordination(figures: Figures) -> dict[str, Any]:
    found = figures.coordination
    if found is None:
        return {}
    shown: dict[str, Any] = {}
    for name, times in found.operations.items():
        shown[f"{name}_ms_p50"] = round(quantile(list(times), 0.5), 2)
        shown[f"{name}_ms_p99"] = round(quantile(list(times), 0.99), 2)
    return shown | {
        "inbox_60_ms_p50": round(quantile(list(found.inbox_few), 0.5), 1),
        "inbox_500_ms_p50": round(quantile(list(found.inbox_many), 0.5), 1),
        "wait_for_wakes_ms_p50": round(quantile(list(found.wake), 0.5), 1),
        "wait_for_wakes_ms_p99": round(quantile(list(found.wake), 0.99), 1),
        "claim_command_ms_p50": round(quantile(list(found.command), 0.5)),
        "claim_command_ms_p99": round(quantile(list(found.command), 0.99)),
    }


_OTHERS = (_coordination, _long, _memory, _redaction, _hooks, _intake)

GOALS = {
    "claim_ms_p50": "below 1 (tracecraft 6.3)",
    "lost_claim_ms_p50": "(tracecraft 17.6)",
    "complete_ms_p50": "below 1 (tracecraft 14.2)",
    "memory_set_ms_p50": "below 1 (tracecraft 6.4)",
    "memory_get_ms_p50": "below 1 (tracecraft 3.1)",
    "send_ms_p50": "below 1 (tracecraft 4.2)",
    "artifact_up_ms_p50": "(tracecraft 10.9)",
    "artifact_down_ms_p50": "(tracecraft 16.5)",
    "inbox_60_ms_p50": "(tracecraft 211)",
    "inbox_500_ms_p50": "below 30 (tracecraft 1593)",
    "wait_for_wakes_ms_p99": "below 20 (tracecraft 3000 to 4000)",
    "claim_command_ms_p50": "below 200 (tracecraft 320)",
    "redaction_mb_per_s": "at least 100 (tracecraft 177 to 390, fewer kinds)",
    "redaction_missed": "0",
    "hook_ms_p99": "below 60",
    "mirror_s": "below 3 for 20 MB (tracecraft 0.57 for 17.8)",
    "follow_ms_p99": "below 50",
    "ingest_ratio": "at least 8",
    "publish_ratio": "at least 15",
    "publish_waiting_ratio": "at least 6",
    "lone_publish_ratio": "at most 1.3",
    "handover_us": "at most 30",
    "idle_to_sql_ms_p99": "at most 500",
    "disk_ratio": "0.35",
    "verify_events_per_s": "at least 100000",
    "task_overhead_ms_p50": "at most 5",
    "tasks_per_s": "at least 500",
    "verify_numbered_events_per_s": "at least 100000",
    "past_state_ms": "at most 300 at 1 M events",
    "past_file_ms": "at most 30 at 1 M events",
}


def table_lines(found: Mapping[str, Any]) -> Iterator[str]:
    """Yield the table that people read."""
    yield f"{'figure':<34}{'measured':>26}  goal"
    for name, value in found.items():
        if name in {"machine", "disk"} or name.endswith(("_by_age", "query_ms_p99")):
            continue
        if name.endswith("query_ms"):
            for question, time in value.items():
                yield f"{name + ' ' + question:<34}{time:>26}  "
            continue
        shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        yield f"{name:<34}{shown:>26}  {GOALS.get(name, '')}".rstrip()
    if "disk" in found:
        yield from _disk_lines(found["disk"])


def _disk_lines(disk: Mapping[str, Any]) -> Iterator[str]:
    yield ""
    yield f"{'column of swarm.events':<34}{'bytes on disk an event':>26}"
    for name, size in list(disk["by_column"].items())[:16]:
        yield f"{name:<34}{size / disk['rows']:>26.1f}"
    yield f"{'all, with indexes':<34}{disk['disk_bytes'] / disk['rows']:>26.1f}"
    yield f"{'the messages themselves':<34}{disk['raw_bytes'] / disk['rows']:>26.1f}"
