"""`swarm init agents guide`: who takes part in a project."""

from datetime import UTC, datetime

from cortex.cli.session import Session
from cortex.cli.sharing import shown
from cortex.cli.sharing.part import note, open_part, project_config
from cortex.coordination.clock import now_ms
from cortex.coordination.config import ProjectConfig, default_project, read_project, write_project
from cortex.coordination.names import agent_name
from nervous_system.errors import BusUnavailableError


async def init(session: Session, *, project: str, agent: str, as_json: bool) -> None:
    """Name the project and the agent for later commands, and tell the others."""
    home = session.home
    before = read_project(home)
    given = ProjectConfig.from_env(
        session.environment, session.directory, home.root, project=project, agent=agent
    )
    kept = agent_name(agent) if agent else before["agent"]
    write_project(home, project=given.project or default_project(home), agent=kept)
    try:
        async with open_part(session, given.project, "joined"):
            is_known = True
    except BusUnavailableError:
        note("no bus here yet: `swarm up` starts one, and the first command introduces you")
        is_known = False
    if as_json:
        shown.print_json(
            {
                "project": given.project,
                "agent": given.agent,
                "home": str(home.root),
                "known": is_known,
            }
        )
    else:
        print(f"you are {given.agent} in project {given.project}")


async def agents(session: Session, *, project: str, as_json: bool) -> None:
    """List who takes part, who is there now, and what each does."""
    async with open_part(session, project, "looking who is there") as part:
        found = await part.project.agents()
        steps = await part.project.steps()
    held: dict[str, list[str]] = {}
    for step in steps:
        if step.is_held(now_ms()):
            held.setdefault(step.agent, []).append(step.step)
    now = datetime.now(UTC)
    views = [shown.agent_view(one, held.get(one.agent, []), now) for one in found]
    if as_json:
        shown.print_json(views)
    else:
        shown.print_table([shown.agent_cells(view) for view in views])


def guide(session: Session, *, project: str) -> None:
    """Print a text that teaches an agent these commands."""
    from cortex.coordination.guide import guide as text_for

    config = project_config(session, project)
    print(text_for(config.agent, config.project), end="")
