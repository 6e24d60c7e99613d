"""Which events a command is asked for: the same options and meaning, live and in history."""

import functools
import inspect
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from cortex.cli.event_view import EVENT_KINDS, event_time_ns
from cortex.cli.times import parse_time
from nervous_system.errors import InvalidEventError
from nervous_system.schemas import AgentRole
from nervous_system.subjects import parse_role

Role = Annotated[
    str, typer.Option("--role", help="architect, coder, reviewer, operator or unspecified.")
]
Agent = Annotated[str, typer.Option("--agent", metavar="ID", help="Agent id.")]
Kind = Annotated[
    str, typer.Option("--kind", help="decision, state_change, tool_call, task_transition, ...")
]
Run = Annotated[str, typer.Option("--run", metavar="ID", help="Run id.")]
Trace = Annotated[str, typer.Option("--trace", metavar="ID", help="Trace id, 32 hex digits.")]
Resource = Annotated[
    str, typer.Option("--resource", metavar="NAME", help="Name of the changed resource.")
]
Since = Annotated[
    str, typer.Option("--since", metavar="TIME", help="From this time on: RFC 3339, or 10m, 2h.")
]
Until = Annotated[
    str, typer.Option("--until", metavar="TIME", help="Up to this time: RFC 3339, or 10m, 2h.")
]
_OPTIONS = {
    "role": Role,
    "agent": Agent,
    "kind": Kind,
    "run": Run,
    "trace": Trace,
    "resource": Resource,
    "since": Since,
    "until": Until,
}

LOWEST_NS = -(2**63)
HIGHEST_NS = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """What an event must be; an empty text asks for nothing."""

    role: str = ""
    """As `swarm.events.agent_role` reads: `CODER`."""
    agent: str = ""
    kind: str = ""
    run: str = ""
    trace: str = ""
    resource: str = ""
    since_ns: int | None = None
    """Event time, nanoseconds since 1970, inclusive."""
    until_ns: int | None = None
    """Inclusive."""

    def matches(self, view: Mapping[str, Any]) -> bool:
        """Whether an event, seen as `event_view` shows it, is asked for."""
        wanted = (
            ("agent_role", self.role),
            ("agent_id", self.agent),
            ("kind", self.kind),
            ("run_id", self.run),
            ("trace_id", self.trace),
            ("target_resource", self.resource),
        )
        if any(value and view.get(name) != value for name, value in wanted):
            return False
        if self.since_ns is None and self.until_ns is None:
            return True
        at = event_time_ns(view)
        return (self.since_ns is None or at >= self.since_ns) and (
            self.until_ns is None or at <= self.until_ns
        )

    def parameters(self) -> dict[str, Any]:
        """Return the parameters of the queries that take a filter."""
        return {
            "role": self.role,
            "agent": self.agent,
            "kind": self.kind,
            "run": self.run,
            "trace": self.trace,
            "resource": self.resource,
            "since_ns": _held(self.since_ns, LOWEST_NS),
            "until_ns": _held(self.until_ns, HIGHEST_NS),
        }


def takes_filter(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of a filter in the place of its parameter `chosen`."""
    signature = inspect.signature(command, eval_str=True)

    @functools.wraps(command)
    def with_options(**given: Any) -> None:
        named = {name: given.pop(name) for name in _OPTIONS}
        command(**given, chosen=build_filter(**named))

    parameters: list[inspect.Parameter] = []
    for parameter in signature.parameters.values():
        placed = [parameter] if parameter.name != "chosen" else _option_parameters()
        parameters += [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in placed]
    vars(with_options).update(__signature__=signature.replace(parameters=parameters))
    return with_options


def _option_parameters() -> list[inspect.Parameter]:
    return [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default="")
        for name, annotation in _OPTIONS.items()
    ]


def build_filter(
    *,
    role: str = "",
    agent: str = "",
    kind: str = "",
    run: str = "",
    trace: str = "",
    resource: str = "",
    since: str = "",
    until: str = "",
    now_ns: int | None = None,
) -> EventFilter:
    """Return the filter that options name.

    Raises:
        typer.BadParameter: a value is none of those that there are.
    """
    now = time.time_ns() if now_ns is None else now_ns
    found = EventFilter(
        role=_role(role),
        agent=agent,
        kind=_kind(kind),
        run=run,
        trace=trace.lower(),
        resource=resource,
        since_ns=_time("--since", since, now),
        until_ns=_time("--until", until, now),
    )
    if found.since_ns is not None and found.until_ns is not None:
        _check_order(found.since_ns, found.until_ns)
    return found


def _check_order(since_ns: int, until_ns: int) -> None:
    if since_ns > until_ns:
        raise typer.BadParameter("--since is later than --until")


def _role(text: str) -> str:
    if not text:
        return ""
    try:
        return AgentRole.Name(parse_role(text)).removeprefix("ROLE_")
    except InvalidEventError as error:
        raise typer.BadParameter(error.reason, param_hint="--role") from error


def _kind(text: str) -> str:
    wanted = text.lower()
    if wanted and wanted not in EVENT_KINDS:
        raise typer.BadParameter(
            f"{text!r} is none of {', '.join(EVENT_KINDS)}", param_hint="--kind"
        )
    return wanted


def _time(option: str, text: str, now_ns: int) -> int | None:
    if not text:
        return None
    try:
        return parse_time(text, now_ns)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from error


def _held(value: int | None, default: int) -> int:
    """Keep a bound within what 64 bits of nanoseconds hold."""
    return default if value is None else max(LOWEST_NS, min(HIGHEST_NS, value))
