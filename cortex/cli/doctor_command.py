"""`swarm doctor`: what is wrong with the set-up of this home, and what to do."""

import asyncio
from dataclasses import asdict

import typer

from cortex.cli import options, output
from cortex.cli.errors import FAILED
from cortex.cli.session import Session


def doctor(ctx: typer.Context, json: options.Json = False) -> None:
    """Check fsync, space, events nearing their limits, versions, clock and permissions."""
    from infrastructure.stack.doctor import Level, examine
    from infrastructure.stack.facts import gather_facts

    findings = examine(asyncio.run(gather_facts(Session.of(ctx).home)))
    rows = [{**asdict(finding), "level": finding.level.value} for finding in findings]
    if json:
        output.print_json(rows)
    else:
        output.print_table(rows, ["level", "check", "detail", "fix"])
    if any(finding.level is Level.FAILED for finding in findings):
        raise typer.Exit(FAILED)
