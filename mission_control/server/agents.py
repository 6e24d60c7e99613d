"""Agents: counts, newest signal, decision, span and failure of each."""

from collections.abc import Mapping, Sequence
from typing import Any

from cortex.cli.times import format_time
from mission_control.server.archive import Archive
from mission_control.server.models import (
    Agent,
    AgentDecision,
    AgentError,
    AgentList,
    AgentSpan,
    Sample,
)
from mission_control.server.moments import shown_time

MAX_AGENTS = 1_000
SpanKey = tuple[str, str]
"""Trace and span."""


def agent_list(archive: Archive, run_id: str) -> AgentList:
    """Return the agents of a run, or all, those heard of last first.

    Raises:
        HistoryError: history cannot be asked.
    """
    rows = archive.rows("agents", run=run_id, limit=MAX_AGENTS)
    spans = _spans(archive, [row["span"] for row in rows if row["span"][1]])
    return AgentList(items=[_agent(row, spans) for row in rows])


def _spans(archive: Archive, keys: Sequence[Sequence[str]]) -> dict[SpanKey, AgentSpan]:
    if not keys:
        return {}
    asked: dict[str, Any] = {
        "traces": [trace for trace, _ in keys],
        "spans": [span for _, span in keys],
    }
    names = {
        (row["trace_id"], row["span_id"]): row["name"]
        for row in archive.rows("span_names", **asked)
    }
    return {
        (row["trace_id"], row["span_id"]): AgentSpan(
            name=names.get((row["trace_id"], row["span_id"]), ""),
            trace_id=row["trace_id"],
            span_id=row["span_id"],
            since=format_time(row["since_ns"]),
        )
        for row in archive.rows("span_starts", **asked)
    }


def _agent(row: Mapping[str, Any], spans: Mapping[SpanKey, AgentSpan]) -> Agent:
    trace_id, span_id = row["span"]
    return Agent(
        agent_id=row["agent_id"],
        role=row["role"],
        run_id=row["newest_run"],
        status=row["newest_status"],
        first_seen=shown_time(row["first_seen"]),
        last_seen=shown_time(row["last_seen"]),
        events=row["events"],
        decisions=row["decisions"],
        changes=row["changes"],
        failures=row["failures"],
        cpu=[Sample(t=at, v=cpu) for at, cpu, _ in row["samples"]],
        memory=[Sample(t=at, v=memory) for at, _, memory in row["samples"]],
        last_decision=_decision(*row["decision"]),
        current_span=spans.get((trace_id, span_id)),
        error=None if row["is_well_since"] else _error(*row["failure"]),
    )


def _decision(event_id: str, rationale: str, at_ns: int) -> AgentDecision | None:
    if not event_id:
        return None
    return AgentDecision(event_id=event_id, rationale=rationale, at=format_time(at_ns))


def _error(event_id: str, detail: str, at_ns: int) -> AgentError | None:
    if not event_id:
        return None
    return AgentError(event_id=event_id, detail=detail, at=format_time(at_ns))
