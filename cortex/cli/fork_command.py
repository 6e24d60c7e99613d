"""`swarm fork`: a new run whose workspace starts from the state of a moment."""

import asyncio
from typing import Annotated

import typer

from cortex.cli import moments, options, output
from cortex.cli.fresh import FRESH_SECONDS
from cortex.cli.moments import Chosen, choose
from cortex.cli.places import bus_url
from cortex.cli.session import Session
from cortex.cli.time_travel import Opened, note_breaks, open_past
from cortex.engine.manifest import format_manifest
from cortex.engine.recovery import manifest_entries
from cortex.engine.restore_plan import build_plan, wanted_digests
from cortex.errors import NotRestorableError
from nervous_system import events
from nervous_system.config import SwarmConfig
from nervous_system.schemas import AgentRole, WorkspaceCreated
from nervous_system.swarm import connect

AGENT = "operator"


def fork(
    ctx: typer.Context,
    at: moments.At = "",
    run: moments.Run = "",
    workspace: moments.Workspace = "",
    partial: Annotated[
        bool, typer.Option("--partial", help="Also where some files cannot be restored.")
    ] = False,
    json: options.Json = False,
    timeout: options.Timeout = FRESH_SECONDS,
    no_wait: options.NoWait = False,
) -> None:
    """Begin a new run that starts from a workspace's state at an event or time; print its id.

    The parent is recorded: `show`, `why` and `restore` look through to it.
    """
    moments.check_given(at)
    asyncio.run(
        _fork(
            Session.of(ctx),
            (at, run, workspace),
            timeout,
            is_partial=partial,
            is_json=json,
            no_wait=no_wait,
        )
    )


async def _fork(
    session: Session,
    asked: tuple[str, str, str],
    timeout: float,
    *,
    is_partial: bool,
    is_json: bool,
    no_wait: bool,
) -> None:
    text, run, workspace = asked
    async with open_past(session, timeout, no_wait=no_wait) as opened:
        chosen = await choose(opened.past, text, run=run, workspace=workspace)
        manifest, base_commit = await _manifest(opened, chosen, is_partial=is_partial)
    run_id = events.new_event_id()
    created = await _create(session, run_id, chosen, manifest, base_commit)
    if not is_json:
        print(run_id)
        return
    output.print_json(
        {
            "run_id": run_id,
            "workspace_id": created.created_workspace_id,
            "parent_workspace_id": created.parent_workspace_id,
            "parent_event_id": created.parent_event_id,
            "base_commit": created.base_commit or None,
            "manifest_digest": created.manifest_digest,
        }
    )


async def _manifest(opened: Opened, chosen: Chosen, *, is_partial: bool) -> tuple[bytes, str]:
    """Return the manifest of the state, and the commit that lies under it."""
    layers = await opened.past.layers(chosen.place)
    state = await opened.past.state_of(layers)
    plan = build_plan(state, await opened.contents.sizes(wanted_digests(state)))
    for problem in plan.problems:
        output.note(f"not restorable: {output.format_cell(problem.readable)}: {problem.reason}")
    if plan.problems and not is_partial:
        raise NotRestorableError(
            count=len(plan.problems), total=plan.total, fix="pass --partial to fork all the same"
        )
    note_breaks(await opened.past.breaks(layers))
    base = next((layer.base_commit for layer in reversed(layers) if layer.base_commit), "")
    return format_manifest(manifest_entries(state)), base


async def _create(
    session: Session, run_id: str, chosen: Chosen, manifest: bytes, base_commit: str
) -> WorkspaceCreated:
    """Store the manifest and publish the new workspace, which bears the name of its run."""
    config = SwarmConfig.from_env(session.environment, home=session.home.root, url=bus_url(session))
    async with connect(config=config, run_id=run_id) as swarm:
        digest = await swarm.content.put(manifest)
        created = events.workspace_created(
            run_id,
            parent_workspace_id=chosen.place.workspace_id,
            parent_event_id=chosen.moment.event_id,
            base_commit=base_commit,
            manifest_digest=digest,
        )
        async with swarm.agent(AGENT, role=AgentRole.ROLE_OPERATOR, run_id=run_id) as agent:
            await agent.emit(created, wait=True)
    return created
