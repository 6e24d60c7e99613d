"""`swarm claim release complete step-status steps wait-for`: steps that agents share."""

import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack

from cortex.cli.session import Session
from cortex.cli.sharing import shown
from cortex.cli.sharing.part import open_part
from cortex.coordination.clock import now_ms
from cortex.coordination.errors import (
    StepEndedError,
    StepHeldError,
    clock_time,
)
from cortex.coordination.names import step_name
from cortex.coordination.steps_rules import Step, StepState
from nervous_system.errors import ConfigError


async def claim(
    session: Session,
    *,
    step: str,
    command: Sequence[str],
    lease: float,
    token: int,
    complete: bool,
    because: Sequence[str],
    project: str,
    as_json: bool,
) -> None:
    """Claim a step, and run a command for as long as it is held."""
    name = step_name(step)
    async with AsyncExitStack() as stack:
        signals = None
        if command:
            from cortex.cli.sharing.running import forwarding

            signals = stack.enter_context(forwarding())
        opened = open_part(
            session,
            project,
            name if command else f"claiming {name}",
            stays=bool(command),
            command=command,
            busy=[name],
        )
        part = await stack.enter_async_context(opened)
        try:
            claimed = await part.project.claim(
                name, lease=lease, token=token, command=command, because=because
            )
        except (StepHeldError, StepEndedError) as error:
            if as_json:
                shown.print_json(_lost(name, error))
            raise
        if signals is None:
            _print_won(claimed, as_json)
            return
        from cortex.cli.sharing.running import run_holding

        if as_json:
            shown.print_json_line(_won(claimed))
        code = await run_holding(part, claimed, list(command), signals, completes=complete)
    sys.exit(code)


async def release(
    session: Session,
    *,
    step: str,
    token: int,
    because: Sequence[str],
    project: str,
    as_json: bool,
) -> None:
    """Let go of a step."""
    name = step_name(step)
    async with open_part(session, project, f"releasing {name}", busy=[name]) as part:
        _print(await part.project.release(name, token=token, because=because), as_json)


async def complete(
    session: Session,
    *,
    step: str,
    note: str,
    to: str,
    next_action: str,
    blocked: bool,
    needs_review: bool,
    changed_file: Sequence[str],
    changed_files_from_git: bool,
    force: bool,
    token: int,
    because: Sequence[str],
    project: str,
    as_json: bool,
) -> None:
    """End a step, with a record for whoever comes next."""
    name = step_name(step)
    if blocked and needs_review:
        raise ConfigError(
            variable="the state",
            given="--blocked --needs-review",
            expected="one of them at most",
            fix="leave one out",
        )
    state = StepState.BLOCKED if blocked else StepState.COMPLETE
    files = list(changed_file)
    if changed_files_from_git:
        from cortex.cli.sharing.changed_files import changed_files

        files += changed_files(session.directory)
    async with open_part(session, project, f"completing {name}", busy=[name]) as part:
        ended = await part.project.complete(
            name,
            state=StepState.NEEDS_REVIEW if needs_review else state,
            note=note,
            to=to,
            next_action=next_action,
            changed_files=list(dict.fromkeys(files)),
            token=token,
            force=force,
            because=because,
        )
    _print(ended, as_json)


async def step_status(session: Session, *, step: str, project: str, as_json: bool) -> None:
    """Show a step."""
    name = step_name(step)
    async with open_part(session, project, f"looking at {name}") as part:
        found = await part.project.step_status(name)
    if as_json:
        shown.print_json(shown.step_view(found, now_ms()))
        return
    _print(found, as_json=False)
    for label, key in (("next", "next_action"), ("changed", "changed_files"), ("runs", "command")):
        value = found.document.get(key)
        if value:
            listed = " ".join(map(str, value)) if isinstance(value, list) else str(value)
            print(f"    {label}: {shown.one_line(listed)}")


async def steps(session: Session, *, state: str, project: str, as_json: bool) -> None:
    """List the steps of the project."""
    if state and state not in tuple(StepState):
        raise ConfigError(
            variable="--state",
            given=state,
            expected=f"one of {', '.join(StepState)}",
            fix="correct it or leave it out",
        )
    async with open_part(session, project, "looking at the steps") as part:
        found = await part.project.steps()
    now = now_ms()
    wanted = [one for one in found if not state or one.state(now) == state]
    if as_json:
        shown.print_json([shown.step_view(one, now) for one in wanted])
    else:
        shown.print_table([shown.step_cells(one, now) for one in wanted])


async def wait_for(
    session: Session, *, steps: Sequence[str], timeout: float, project: str, as_json: bool
) -> None:
    """Wait until steps are complete."""
    names = list(dict.fromkeys(map(step_name, steps)))
    doing = f"waiting for {', '.join(names)}"
    async with open_part(session, project, doing, stays=True) as part:
        found = await part.project.wait_for(*names, timeout=timeout)
        now = now_ms()
        if as_json:
            shown.print_json([shown.step_view(one, now) for one in found])
        else:
            shown.print_table([shown.step_cells(one, now) for one in found])
        sys.stdout.flush()


def _won(step: Step) -> dict[str, object]:
    return {
        "step": step.step,
        "holder": step.agent,
        "won": True,
        "token": step.token,
        "expires_at": shown.rfc3339(step.expires_at),
        "event_id": step.event_id,
    }


def _print_won(step: Step, as_json: bool) -> None:
    if as_json:
        shown.print_json(_won(step))
        return
    until = clock_time(step.expires_at)
    print(f"{shown.one_line(step.step)} is yours until {until}, token {step.token}")


def _lost(step: str, error: StepHeldError | StepEndedError) -> dict[str, object]:
    is_held = isinstance(error, StepHeldError)
    return {
        "step": step,
        "holder": error.holder if isinstance(error, StepHeldError) else None,
        "won": False,
        "token": None,
        "expires_at": shown.rfc3339(error.expires_at) if isinstance(error, StepHeldError) else None,
        "state": "in_progress" if is_held else "complete",
    }


def _print(step: Step, as_json: bool) -> None:
    if as_json:
        shown.print_json(shown.step_view(step, now_ms()))
    else:
        shown.print_table([shown.step_cells(step, now_ms())])
