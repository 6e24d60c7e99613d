"""`swarm ingest`: the ingestor in the foreground."""

from typing import Annotated

import typer

from cortex.cli.places import writer_config
from cortex.cli.session import Session
from infrastructure.ingestor.main import main as run_ingestor


def ingest(
    ctx: typer.Context,
    stream: Annotated[
        list[str] | None,
        typer.Option("--stream", metavar="NAME", help="Only this one; repeatable."),
    ] = None,
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="Health and metrics; 0: any free one.")
    ] = 0,
    host: Annotated[str, typer.Option("--host", help="Address of health and metrics.")] = "",
    batch_rows: Annotated[
        int | None, typer.Option("--batch-rows", min=1, help="Most rows of one batch.")
    ] = None,
    memory_bytes: Annotated[
        int | None, typer.Option("--memory-bytes", min=1, help="Most that is in flight.")
    ] = None,
) -> None:
    """Bring the streams into history until stopped; what was read is written first.

    `swarm up` runs one already. Several may run: each message becomes one row all the same. Stopped
    by SIGTERM or Ctrl-C it exits 0 when everything is written, and 1 when that took too long.
    """
    session = Session.of(ctx)
    options = {
        "SWARM_INGESTOR_STREAMS": ",".join(stream or []),
        "SWARM_INGESTOR_PORT": str(port),
        "SWARM_INGESTOR_HOST": host,
        "SWARM_INGESTOR_ROWS": "" if batch_rows is None else str(batch_rows),
        "SWARM_INGESTOR_BYTES": "" if memory_bytes is None else str(memory_bytes),
    }
    environment = {
        **session.environment,
        **_servers(session),
        **{name: value for name, value in options.items() if value},
    }
    raise typer.Exit(run_ingestor(environment, session.log_format.value))


def _servers(session: Session) -> dict[str, str]:
    """Return where bus and history are, the bus as the ingestor's own user where there is one."""
    stack = session.home.stack() or {}
    named = session.environment.get("SWARM_NATS_URL")
    url = named or stack.get("ingestor_nats_url") or stack.get("nats_url")
    found = {"SWARM_CLICKHOUSE_DSN": writer_config(session).dsn}
    return found | ({"SWARM_NATS_URL": str(url)} if url else {})
