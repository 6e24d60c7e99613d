"""`swarm hooks`: foreign agents say what they do while they do it."""

import difflib
import enum
import os
import sys
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

import typer

import infrastructure.intake.hooks.command
from cortex.cli import options, output
from cortex.cli.errors import CommandFailedError
from cortex.cli.files import replaced_file
from cortex.cli.session import Session
from infrastructure.errors import StackDownError
from infrastructure.intake.gate.answers import CLAUDE_CODE, CODEX
from infrastructure.intake.gate.policy import load_policy
from infrastructure.intake.hooks.installed import (
    Installed,
    forget_installed,
    note_installed,
    read_installed,
)
from infrastructure.intake.hooks.pending import FOLDER, PendingFiles
from infrastructure.intake.hooks.settings import Handler, hooks_of, with_hooks, without_hooks
from nervous_system.home import Home

hooks = typer.Typer(no_args_is_help=True, add_completion=False)

_TRUST_CODEX = "codex runs new hooks only once you trust them: open codex and type /hooks"


class Harness(enum.StrEnum):
    """A harness that has hooks."""

    CLAUDE_CODE = CLAUDE_CODE
    CODEX = CODEX


class Scope(enum.StrEnum):
    """Whose settings."""

    PROJECT = "project"
    LOCAL = "local"
    USER = "user"


HarnessArgument = Annotated[Harness, typer.Argument(show_choices=True, help="Whose hooks.")]
ScopeOption = Annotated[
    Scope,
    typer.Option(
        help="Settings of this project, those that are not shared (Claude Code), or yours."
    ),
]
SettingsOption = Annotated[
    Path | None, typer.Option("--settings", metavar="FILE", help="This file of settings instead.")
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Write without asking.")]


@hooks.command("install", short_help="Write hooks into the settings of a harness.")
def install(
    ctx: typer.Context,
    harness: HarnessArgument,
    gate: Annotated[
        Path | None,
        typer.Option(
            "--gate", metavar="POLICY", help="Let this policy (YAML) decide which tools may run."
        ),
    ] = None,
    http: Annotated[
        bool,
        typer.Option(
            "--http",
            help="The harness posts by itself (Claude Code): nothing is kept while the stack is "
            "away.",
        ),
    ] = False,
    scope: ScopeOption = Scope.PROJECT,
    settings: SettingsOption = None,
    yes: YesOption = False,
    json: options.Json = False,
) -> None:
    """Write hooks into the settings of a harness; the change is shown first.

    All other settings stay, to the letter; a copy of the file as it was is kept in the home, and
    `swarm hooks uninstall` undoes the change. With --gate nothing but an answer of the policy lets
    a tool run: where it cannot be read, or the stack is away, tools are denied.
    """
    session = Session.of(ctx)
    path = settings or settings_path(session, harness, scope)
    if gate is not None:
        load_policy(gate)
    if http and harness is not Harness.CLAUDE_CODE:
        raise CommandFailedError(f"{harness} has no hooks that post: leave out --http")
    before = _read(path)
    after = with_hooks(before or "", _handler(session, harness, gate, is_http=http), str(path))
    if after != before and not _agreed(path, before or "", after, yes=yes, quiet=json):
        raise CommandFailedError("nothing was written: pass --yes to write it")
    session.home.ensure()
    installed = Installed(
        harness=harness,
        settings=str(path.resolve()),
        policy=str(gate.resolve()) if gate is not None else "",
        backup=_backup(session.home, harness, path, before),
        written=_digest(after),
    )
    note_installed(session.home, installed)
    _write(path, after)
    if harness is Harness.CODEX:
        output.note(_TRUST_CODEX)
    _report(_described(installed), f"hooks of {harness} are in {path}", as_json=json)


@hooks.command("uninstall", short_help="Take them out again.")
def uninstall(
    ctx: typer.Context,
    harness: HarnessArgument,
    scope: Annotated[
        Scope | None, typer.Option(help="Only there; by default wherever they were installed.")
    ] = None,
    settings: SettingsOption = None,
    yes: YesOption = False,
    json: options.Json = False,
) -> None:
    """Take our hooks out of the settings of a harness; everything else in them stays.

    Settings that were not touched since become what they were before, to the letter.
    """
    session = Session.of(ctx)
    done = []
    for path in _installed_paths(session, harness, scope, settings):
        before = _read(path)
        if before is None:
            forget_installed(session.home, str(path.resolve()))
            continue
        after = _restored(session.home, path, before)
        if after == before:
            continue
        if not _agreed(path, before, after or "", yes=yes, quiet=json):
            raise CommandFailedError("nothing was written: pass --yes to write it")
        if after is None:
            path.unlink()
        else:
            _write(path, after)
        forget_installed(session.home, str(path.resolve()))
        done.append({"harness": str(harness), "settings": str(path)})
    if not done:
        raise CommandFailedError(f"no hooks of ours are in the settings of {harness}")
    if json:
        output.print_json_array(done)
        return
    for one in done:
        print(f"hooks of {harness} are out of {one['settings']}")


@hooks.command("status", short_help="Say what is installed, and what waits.")
def status(ctx: typer.Context, json: options.Json = False) -> None:
    """Say where hooks are installed from this home, with which gate, and what waits to be sent."""
    session = Session.of(ctx)
    installed = [_described(one) for one in read_installed(session.home)]
    waiting = PendingFiles(session.home)
    stack = session.home.stack() or {}
    found = {
        "installed": installed,
        "receiver": stack.get("otlp_url"),
        "waiting_bytes": waiting.waiting_bytes,
        "dropped": waiting.dropped_count,
    }
    if json:
        output.print_json(found)
        return
    output.print_table(installed)
    print(f"receiver       {found['receiver'] or 'away: hooks keep what they say in the home'}")
    print(f"waiting bytes  {found['waiting_bytes']}")
    print(f"dropped        {found['dropped']}")


@hooks.command("show", short_help="Print what would be written.")
def show(
    ctx: typer.Context,
    harness: HarnessArgument,
    gate: Annotated[
        Path | None, typer.Option("--gate", metavar="POLICY", help="As for install.")
    ] = None,
) -> None:
    """Print the settings that `install` would write where there were none."""
    handler = _handler(Session.of(ctx), harness, gate, is_http=False)
    print(with_hooks("", handler, "settings"), end="")


def settings_path(session: Session, harness: Harness, scope: Scope) -> Path:
    """Return the file of settings of a harness.

    Raises:
        CommandFailedError: the harness has none of that scope.
    """
    home = Path(session.environment.get("HOME") or Path.home())
    if harness is Harness.CLAUDE_CODE:
        base = Path(session.environment.get("CLAUDE_CONFIG_DIR") or home / ".claude")
        folder = base if scope is Scope.USER else session.directory / ".claude"
        return folder / ("settings.local.json" if scope is Scope.LOCAL else "settings.json")
    if scope is Scope.LOCAL:
        raise CommandFailedError("codex has no settings that are not shared: use another --scope")
    base = Path(session.environment.get("CODEX_HOME") or home / ".codex")
    return (base if scope is Scope.USER else session.directory / ".codex") / "hooks.json"


def _handler(session: Session, harness: Harness, gate: Path | None, *, is_http: bool) -> Handler:
    url = ""
    if is_http:
        url = str((session.home.stack() or {}).get("otlp_url") or "")
        if not url:
            raise StackDownError(home=str(session.home.root))
    return Handler(
        harness=harness,
        python=sys.executable,
        script=str(Path(infrastructure.intake.hooks.command.__file__).resolve()),
        home=str(session.home.root.resolve()),
        policy=str(gate.resolve()) if gate is not None else "",
        url=url,
    )


def _installed_paths(
    session: Session, harness: Harness, scope: Scope | None, settings: Path | None
) -> list[Path]:
    if settings is not None:
        return [settings]
    if scope is not None:
        return [settings_path(session, harness, scope)]
    noted = [Path(one.settings) for one in read_installed(session.home) if one.harness == harness]
    return noted or [settings_path(session, harness, Scope.PROJECT)]


def _restored(home: Home, path: Path, text: str) -> str | None:
    """Return settings without our hooks; None: there were none before."""
    place = str(path.resolve())
    noted = next((one for one in read_installed(home) if one.settings == place), None)
    if noted is not None and noted.written == _digest(text):
        return Path(noted.backup).read_text(encoding="utf-8") if noted.backup else None
    return without_hooks(text, str(path))


def _agreed(path: Path, before: str, after: str, *, yes: bool, quiet: bool) -> bool:
    """Show what would change and ask; without a terminal only --yes agrees."""
    stream = sys.stderr if quiet else sys.stdout
    for line in _diff(path, before, after):
        print(line, file=stream)
    if yes:
        return True
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    return typer.confirm("write this?", err=True)


def _diff(path: Path, before: str, after: str) -> Iterator[str]:
    name = str(path)
    return difflib.unified_diff(
        before.splitlines(), after.splitlines(), name if before else "/dev/null", name, lineterm=""
    )


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise CommandFailedError(f"{path} is no UTF-8; nothing was written") from error


def _backup(home: Home, harness: Harness, path: Path, text: str | None) -> str:
    """Keep the file as it was; hooks that are installed again keep the copy of the first time."""
    place = str(path.resolve())
    noted = next((one for one in read_installed(home) if one.settings == place), None)
    if noted is not None and text is not None and noted.written == _digest(text):
        return noted.backup
    if text is None:
        return ""
    folder = home.root / FOLDER / "backups"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    copy = folder / f"{harness}-{time.time_ns()}.json"
    with replaced_file(copy) as file:
        # hooks of an earlier time, with what was changed since: going back goes behind those too
        before = without_hooks(text, str(path)) if text.strip() else text
        file.write(before.encode())
    return str(copy)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    mode = path.stat().st_mode & 0o777 if path.exists() else None
    with replaced_file(path) as file:
        file.write(text.encode())
        if mode is not None:
            os.fchmod(file.fileno(), mode)


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _described(one: Installed) -> dict[str, Any]:
    text = _read(Path(one.settings))
    found = hooks_of(text, one.settings) if text else []
    return {
        "harness": one.harness,
        "settings": one.settings,
        "events": len(found),
        "gate": one.policy or None,
    }


def _report(described: dict[str, Any], line: str, *, as_json: bool) -> None:
    if as_json:
        output.print_json(described)
    else:
        output.note(line)
