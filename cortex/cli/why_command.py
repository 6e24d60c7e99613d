"""`swarm why`: the change that wrote a line, the decision that led to it, and what led to that."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from cortex.cli import moments, options, output
from cortex.cli.errors import CommandFailedError
from cortex.cli.event_view import summary
from cortex.cli.fresh import FRESH_SECONDS
from cortex.cli.moments import choose, newest
from cortex.cli.session import Session
from cortex.cli.show_command import TargetType
from cortex.cli.time_travel import Opened, event_view, named_resource, open_past, short
from cortex.engine.past import Place
from cortex.engine.recovery import FILE_SYSTEM, Resource, ResourceState
from cortex.engine.why import Explanation, Found, Inquiry, Writer
from cortex.errors import NotRecordedError
from nervous_system.errors import ContentMissingError

_LINE = re.compile(r"(?P<name>.+):(?P<line>[1-9]\d{0,9})", re.DOTALL)
_LABEL = 12
"""Width of the labels in text for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Everything that is known of the reason."""

    resource: Resource
    place: Place
    line: int | None
    """From 1."""
    text: str | None
    found: Found
    change: Mapping[str, Any] | None
    """The event behind it, as commands show events."""
    explanation: Explanation | None


def why(
    ctx: typer.Context,
    resource: Annotated[
        str, typer.Argument(metavar="RESOURCE[:LINE]", help="A file, and a line from 1.")
    ],
    at: moments.At = "",
    run: moments.Run = "",
    workspace: moments.Workspace = "",
    target_type: TargetType = FILE_SYSTEM,
    json: options.Json = False,
    timeout: options.Timeout = FRESH_SECONDS,
    no_wait: options.NoWait = False,
) -> None:
    """Say why a file, or a line of it, is as it is: its change, the decision, what led to that.

    Without --at and --workspace, in the workspace where the resource was changed last. Lines that
    came with the start of the workspace, or from outside the swarm, are said to have.
    """
    asyncio.run(
        _why(
            Session.of(ctx),
            (at, run, workspace),
            (resource, target_type),
            timeout,
            is_json=json,
            no_wait=no_wait,
        )
    )


async def _why(
    session: Session,
    asked: tuple[str, str, str],
    named: tuple[str, str],
    timeout: float,
    *,
    is_json: bool,
    no_wait: bool,
) -> None:
    name, line = _split(named[0])
    resource = named_resource(name, named[1])
    async with open_past(session, timeout, no_wait=no_wait) as opened:
        answer = await answer_why(opened, asked, resource, line)
    if is_json:
        output.print_json(why_view(answer))
        return
    for label, text in _lines(answer):
        print(f"{label:<{_LABEL}}{output.format_cell(text)}")


async def answer_why(
    opened: Opened, asked: tuple[str, str, str], resource: Resource, line: int | None
) -> Answer:
    """Return why a resource, or a line of it, is as it is.

    Args:
        opened: the past.
        asked: moment, run and workspace, as far as they are given.
        resource: what is asked about.
        line: from 1; None asks about the whole.

    Raises:
        NotRecordedError: history knows nothing of it.
        CommandFailedError: it has no such line, or its content is not kept.
    """
    place = await _place(opened, asked, resource)
    return await _answer(opened, place, resource, line)


def _split(text: str) -> tuple[str, int | None]:
    matched = _LINE.fullmatch(text)
    return (matched["name"], int(matched["line"])) if matched else (text, None)


async def _place(opened: Opened, asked: tuple[str, str, str], resource: Resource) -> Place:
    text, run, workspace = asked
    if text:
        return (await choose(opened.past, text, run=run, workspace=workspace)).place
    if workspace:
        return (await newest(opened.past, workspace)).place
    rows = await opened.past.rows("resource_workspaces", name=resource.readable, run=run)
    if not rows:
        raise NotRecordedError(
            subject=resource.readable,
            reason="no recorded change; name a workspace that began with it by --workspace",
        )
    chosen = str(rows[0]["workspace"])
    if len({str(row["workspace"]) for row in rows}) > 1:
        output.note(f"in workspace {chosen}, where it was changed last (--workspace for another)")
    return (await newest(opened.past, chosen)).place


async def _answer(opened: Opened, place: Place, resource: Resource, line: int | None) -> Answer:
    inquiry = Inquiry(opened.past, opened.contents)
    state = await opened.past.resource_at(place, resource)
    text = None
    if line is None:
        found = await inquiry.newest_change(place, resource)
        if found.change is None and not state.is_present:
            raise NotRecordedError(subject=resource.readable, reason="nothing is known of it there")
    else:
        text = await _line_text(opened, resource, state, line)
        found = await inquiry.writer_of(place, resource, state.digest, line - 1)
    change = explanation = None
    if found.change is not None:
        rows = await opened.past.events([found.change.event_id])
        change = event_view(rows[0]) if rows else None
    if found.change is not None and found.writer is Writer.CHANGE:
        explanation = await inquiry.explain(found.change, place.stream)
    return Answer(
        resource=resource,
        place=place,
        line=line,
        text=text,
        found=found,
        change=change,
        explanation=explanation,
    )


async def _line_text(opened: Opened, resource: Resource, state: ResourceState, line: int) -> str:
    """Return one line, without holding the content."""
    if not state.is_present:
        raise NotRecordedError(subject=resource.readable, reason="it does not exist at that moment")
    number, rest = 1, b""
    try:
        async for piece in opened.contents.pieces(state.digest):
            *ended, rest = (rest + piece).split(b"\n")
            if number + len(ended) > line:
                return output.format_bytes(ended[line - number])
            number += len(ended)
    except ContentMissingError as error:
        raise CommandFailedError(
            f"{resource.readable}: its content {state.digest} is not kept: ask without a line"
        ) from error
    if rest and number == line:
        return output.format_bytes(rest)
    raise CommandFailedError(f"{resource.readable} has {number - (not rest)} lines, not {line}")


def why_view(answer: Answer) -> dict[str, Any]:
    """Return the answer as JSON shows it."""
    explanation, found = answer.explanation, answer.found
    decision = _decision(explanation)
    layer = found.layer
    return {
        "target_type": answer.resource.target_type,
        "resource": answer.resource.readable,
        "workspace_id": answer.place.workspace_id,
        "line": answer.line,
        "text": answer.text,
        "written_by": found.writer.value,
        "is_certain": found.is_certain,
        "change": answer.change,
        "seen_by_event": found.seen_by.event_id if found.seen_by else None,
        "start": None
        if layer is None
        else {
            "workspace_id": layer.place.workspace_id,
            "base_commit": layer.base_commit,
            "manifest_digest": layer.manifest_digest,
        },
        "decision": decision,
        "is_decision_recorded": explanation.is_recorded if explanation and decision else None,
        "rejected_alternatives": decision["rejected_alternatives"] if decision else [],
        "memory_ids": decision["memory_ids"] if decision else [],
        "causes": [
            {"depth": cause.depth, **event_view(cause.row)}
            for cause in (explanation.causes if explanation else ())
        ],
    }


def _decision(explanation: Explanation | None) -> dict[str, Any] | None:
    if explanation is None or explanation.decision is None:
        return None
    return event_view(explanation.decision)


def _lines(answer: Answer) -> list[tuple[str, str]]:
    where = answer.resource.readable
    lines = [("resource", where if answer.line is None else f"{where}:{answer.line}")]
    if answer.text is not None:
        lines.append(("line", answer.text))
    lines.append(("written by", _writer(answer)))
    if not answer.found.is_certain:
        lines.append(("", "contents that are not kept could tell whether it is older"))
    explanation, decision = answer.explanation, _decision(answer.explanation)
    if explanation is not None and decision is not None:
        note = "" if explanation.is_recorded else "  (not recorded as its cause: the last before)"
        lines.append(("decision", f"{_event(decision)}{note}"))
        lines += [("rejected", text) for text in decision["rejected_alternatives"]]
        lines += [("memory", text) for text in decision["memory_ids"]]
    if explanation is not None:
        lines += [
            ("because of", f"{'  ' * (cause.depth - 1)}{_event(event_view(cause.row))}")
            for cause in explanation.causes
            if decision is None or cause.row["event_id"] != decision["event_id"]
        ]
    return lines


def _writer(answer: Answer) -> str:
    found = answer.found
    if found.writer is Writer.OUTSIDE:
        after = f"after #{found.change.sequence}" if found.change else "at the start"
        before = f", before #{found.seen_by.sequence}" if found.seen_by else ""
        return f"something outside the swarm, {after}{before}"
    if found.writer is Writer.START or answer.change is None:
        layer = found.layer
        base = f", base commit {short(layer.base_commit)}" if layer and layer.base_commit else ""
        name = layer.place.workspace_id if layer else answer.place.workspace_id
        return f"nobody in the swarm: it was there when workspace {name} began{base}"
    origin = answer.change["attributes"].get("origin")
    return _event(answer.change) + (f"  ({origin})" if origin else "")


def _event(view: Mapping[str, Any]) -> str:
    parts = (f"#{view['stream_seq']}", view["event_time"], view["agent_id"], view["kind"])
    return "  ".join(str(part) for part in (*parts, summary(view)) if part)
