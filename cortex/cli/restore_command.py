"""`swarm restore`: the files of a moment, bit for bit, in a new directory or on a new branch."""

import asyncio
import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from cortex.cli import moments, options, output
from cortex.cli.errors import CommandFailedError
from cortex.cli.fresh import FRESH_SECONDS
from cortex.cli.moments import Chosen, choose
from cortex.cli.session import Session
from cortex.cli.time_travel import Opened, note_breaks, open_past
from cortex.engine.past import Layer
from cortex.engine.recovery import State
from cortex.engine.restore_branch import BranchCommit, Branches
from cortex.engine.restore_files import RestoreDirectory
from cortex.engine.restore_plan import Problem, RestorePlan, build_plan, wanted_digests
from cortex.engine.restoring import restore_files
from cortex.errors import NotRestorableError, RestoreRefusedError

PARTIAL = "pass --partial to restore the others"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where to write."""

    directory: Path | None
    branch: str
    repository: Path
    is_partial: bool
    is_overwriting: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What is restored."""

    chosen: Chosen
    state: State
    base: str
    """Commit that the branch goes on from; empty: none."""
    keeps_base: bool
    """Files that were never changed are those of that commit: nothing else has recorded them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What was done."""

    plan: RestorePlan
    problems: Sequence[Problem]
    commit: str = ""


def restore(
    ctx: typer.Context,
    at: moments.At = "",
    to: Annotated[
        Path | None, typer.Option("--to", metavar="DIR", help="A directory, new or empty.")
    ] = None,
    branch: Annotated[
        str, typer.Option("--branch", metavar="NAME", help="A new branch of --repo instead.")
    ] = "",
    repo: Annotated[
        Path,
        typer.Option("--repo", metavar="PATH", help="The repository that --branch is made in."),
    ] = Path(),
    run: moments.Run = "",
    workspace: moments.Workspace = "",
    partial: Annotated[
        bool, typer.Option("--partial", help="Restore what can be restored, list the rest.")
    ] = False,
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", help="Write into a directory that holds files; others stay."),
    ] = False,
    json: options.Json = False,
    timeout: options.Timeout = FRESH_SECONDS,
    no_wait: options.NoWait = False,
) -> None:
    """Write the files of a workspace as they were at an event or time; each is checked.

    Content that is missing, damaged or was not kept as it was is listed, and nothing is written
    unless --partial is given. A branch gets one commit; the checkout is not touched.
    """
    moments.check_given(at)
    if (to is None) == (not branch):
        raise typer.BadParameter("give either --to DIR or --branch NAME")
    target = Target(
        directory=to,
        branch=branch,
        repository=repo,
        is_partial=partial,
        is_overwriting=overwrite,
    )
    asyncio.run(
        _restore(
            Session.of(ctx), (at, run, workspace), target, timeout, is_json=json, no_wait=no_wait
        )
    )


async def _restore(
    session: Session,
    asked: tuple[str, str, str],
    target: Target,
    timeout: float,
    *,
    is_json: bool,
    no_wait: bool,
) -> None:
    text, run, workspace = asked
    await _check_target(target)
    async with open_past(session, timeout, no_wait=no_wait) as opened:
        chosen = await choose(opened.past, text, run=run, workspace=workspace)
        layers = await opened.past.layers(chosen.place)
        state = await opened.past.state_of(layers)
        plan = build_plan(state, await opened.contents.sizes(wanted_digests(state)))
        breaks = await opened.past.breaks(layers)
        base = await _base_commit(layers, target)
        if _needs_base(layers) and not base:
            plan = _without_unchanged(plan, layers, target)
        _refuse_unless_partial(plan.problems, plan, target)
        source = Source(
            chosen=chosen, state=state, base=base, keeps_base=bool(base) and _needs_base(layers)
        )
        restored = await _write(opened, plan, source, target)
    note_breaks(breaks)
    _report(restored, chosen, target, is_json=is_json)


async def _check_target(target: Target) -> None:
    if target.directory is None:
        await Branches(target.repository).check_new(target.branch)
    elif not target.is_overwriting:
        _check_directory(target.directory)


def _check_directory(directory: Path) -> None:
    if not os.path.lexists(directory):
        return
    if not directory.is_dir():
        raise RestoreRefusedError(
            place=str(directory), reason="it is no directory", fix="name a new one"
        )
    if any(directory.iterdir()):
        raise RestoreRefusedError(
            place=str(directory),
            reason="it is not empty",
            fix="name a new directory, or pass --overwrite",
        )


async def _base_commit(layers: Sequence[Layer], target: Target) -> str:
    """Return the commit that the workspace began with, if it is in the branch's repository."""
    base = next((layer.base_commit for layer in reversed(layers) if layer.base_commit), "")
    if base and target.directory is None and await Branches(target.repository).has_commit(base):
        return base
    return ""


def _needs_base(layers: Sequence[Layer]) -> bool:
    """Whether unchanged files are recorded as a commit only."""
    has_manifest = any(layer.manifest_digest for layer in layers)
    return not has_manifest and any(layer.base_commit for layer in layers)


def _without_unchanged(plan: RestorePlan, layers: Sequence[Layer], target: Target) -> RestorePlan:
    """Add to the problems what only a commit has that is out of reach.

    Raises:
        CommandFailedError: nothing less than all is wanted.
    """
    commit = next(layer.base_commit for layer in reversed(layers) if layer.base_commit)
    reason = (
        f"of the files that nobody changed only their commit {commit} is recorded: "
        "`--branch NAME --repo PATH` brings them where PATH has it"
    )
    if not target.is_partial:
        raise CommandFailedError(
            f"{reason}; --partial restores the {len(plan.files)} that were changed"
        )
    return replace(plan, problems=[*plan.problems, Problem(path=b"*", reason=reason)])


def _refuse_unless_partial(problems: Sequence[Problem], plan: RestorePlan, target: Target) -> None:
    for problem in problems:
        output.note(f"not restored: {output.format_cell(problem.readable)}: {problem.reason}")
    if problems and not target.is_partial:
        raise NotRestorableError(count=len(problems), total=plan.total, fix=PARTIAL)


async def _write(opened: Opened, plan: RestorePlan, source: Source, target: Target) -> Restored:
    if target.directory is None:
        commit = await Branches(target.repository).commit(
            _branch_commit(source, target), plan.files, opened.contents
        )
        return Restored(plan=plan, problems=plan.problems, commit=commit)
    with _directory(target.directory, is_overwriting=target.is_overwriting) as directory:
        late = await restore_files(RestoreDirectory(directory), plan.files, opened.contents)
        _refuse_unless_partial(late, plan, target)
    return Restored(plan=plan, problems=[*plan.problems, *late])


@contextmanager
def _directory(wanted: Path, *, is_overwriting: bool) -> Iterator[Path]:
    """Give a directory to write into; a new one appears under its name when all is written."""
    if is_overwriting:
        wanted.mkdir(exist_ok=True)
        yield wanted
        return
    target = wanted.absolute()
    temporary = target.with_name(f".{target.name}.restore-{secrets.token_hex(4)}")
    temporary.mkdir()
    try:
        yield temporary
        temporary.replace(target.resolve())
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def _branch_commit(source: Source, target: Target) -> BranchCommit:
    gone = [one.name for one, found in source.state.items() if one.is_file and not found.is_present]
    return BranchCommit(
        branch=target.branch,
        base_commit=source.base,
        message=_message(source.chosen),
        time_s=source.chosen.moment.time_ns // 1_000_000_000,
        removed=gone if source.keeps_base else None,
    )


def _message(chosen: Chosen) -> str:
    return (
        f"Restore workspace {chosen.place.workspace_id}\n\n"
        f"As it was at event {chosen.moment.event_id}.\n\n"
        f"Swarm-Run: {chosen.moment.run_id}\n"
        f"Swarm-Event: {chosen.moment.event_id}\n"
    )


def _report(restored: Restored, chosen: Chosen, target: Target, *, is_json: bool) -> None:
    written = len(restored.plan.files) - len(restored.problems) + len(restored.plan.problems)
    if is_json:
        output.print_json(
            {
                "event_id": chosen.moment.event_id,
                "workspace_id": chosen.place.workspace_id,
                "directory": str(target.directory) if target.directory else None,
                "branch": target.branch or None,
                "commit": restored.commit or None,
                "files": written,
                "not_restored": [_problem_view(one) for one in restored.problems],
                "not_files": [one.readable for one in restored.plan.other_resources],
            }
        )
        return
    place = f"branch {target.branch}" if target.branch else str(target.directory)
    print(f"{written} files as of event {chosen.moment.event_id} in {place}")
    if restored.plan.other_resources:
        output.note(
            f"{len(restored.plan.other_resources)} values are no files: `swarm show` has them"
        )


def _problem_view(problem: Problem) -> dict[str, Any]:
    return {
        "resource": problem.readable,
        "reason": problem.reason,
        "event_id": problem.event_id or None,
    }
