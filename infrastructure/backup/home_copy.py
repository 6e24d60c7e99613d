"""A verified copy of a home, of a running stack or of one that is down.

Order makes the copy consistent while everything runs: the tables of events are frozen before their
streams are taken, so that history is never ahead of the stream; streams before the object store,
and that before the table of contents, so that whatever an event refers to is in one of the two.
The copy is built beside its place, opened and compared, and only then moved there.
"""

import asyncio
import json
import os
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from infrastructure.backup.check import HistoryCheck, check_copy
from infrastructure.backup.parts import (
    BLOBS_TABLE,
    Freeze,
    copy_definitions,
    copy_frozen,
    freeze,
    remove_frozen,
    stored_tables,
    unfreeze,
)
from infrastructure.backup.snapshots import (
    StreamSnapshot,
    restore_snapshot,
    stream_names,
    take_snapshot,
)
from infrastructure.backup.store_server import open_store
from infrastructure.errors import BackupError
from infrastructure.history.client import HistoryClient
from infrastructure.stack.lock import hold_stack_lock
from nervous_system.comms.connection import BusClient
from nervous_system.comms.streams import stream_identity
from nervous_system.home import Home, read_json, write_json

OBJECT_STORE_PREFIX = "OBJ_"
LEFT_OUT = frozenset({"nats", "history", "logs", "stack.json", "stack.lock"})
"""What is copied in a way of its own, or belongs to the running stack only."""
MANIFEST = "backup.json"
STREAM_META = ("meta.inf", "meta.sum")

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class CopiedStream:
    """One stream of the copy, as the server that opened it says."""

    stream: str
    identity: str
    messages: int
    first_seq: int
    last_seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupReport:
    """What a verified copy holds."""

    directory: str
    streams: tuple[CopiedStream, ...]
    history: HistoryCheck


async def back_up_running(
    home: Home, target: Path, client: BusClient, history: HistoryClient, tell: Tell
) -> BackupReport:
    """Copy the home of a running stack to `target`, which must not exist or be empty.

    Raises:
        BackupError: the copy was not made, or does not hold what it must.
    """
    work = _begin(home, target)
    name = f"backup_{time.time_ns()}"
    frozen: list[Freeze] = []
    try:
        tell("freezing history")
        tables = await asyncio.to_thread(stored_tables, history)
        frozen.append(await _freeze(history, [t for t in tables if t != BLOBS_TABLE], name))
        tell("taking streams")
        snapshots = await _take_all(client, work / "scratch")
        frozen.append(await _freeze(history, [t for t in tables if t == BLOBS_TABLE], name))
        tell("copying")
        await asyncio.to_thread(_copy_history, home, work, frozen[0])
        await asyncio.to_thread(_copy_files, home, work / "home")
        tell("putting streams back")
        await _restore_all(home, work, snapshots)
        return await _finish(work, target, tell)
    finally:
        await asyncio.shield(asyncio.to_thread(_thaw, home, history, frozen))
        await asyncio.to_thread(shutil.rmtree, work, True)


async def back_up_stopped(home: Home, target: Path, tell: Tell) -> BackupReport:
    """Copy a home whose stack is down; it cannot be started meanwhile.

    Raises:
        BackupError: the copy was not made, or does not hold what it must.
        StackRunningError: the stack is up.
    """
    if not home.root.is_dir():
        raise BackupError(directory=str(target), reason=f"there is no home in {home.root}")
    work = _begin(home, target)
    try:
        with hold_stack_lock(home):
            tell("copying")
            await asyncio.to_thread(_copy_files, home, work / "home")
            await asyncio.to_thread(_copy_stopped, home, work / "home")
        return await _finish(work, target, tell)
    finally:
        await asyncio.to_thread(shutil.rmtree, work, True)


def _begin(home: Home, target: Path) -> Path:
    """Return an empty directory beside the target to work in."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise BackupError(directory=str(target), reason="it exists and is not empty")
    if home.root.resolve() in (target.resolve(), *target.resolve().parents):
        raise BackupError(directory=str(target), reason=f"it lies inside the home {home.root}")
    work = target.resolve().with_name(f".{target.name}.{os.getpid()}")
    work.parent.mkdir(parents=True, exist_ok=True)
    work.mkdir(mode=0o700)  # whatever is copied into it, nobody else comes as far as that
    (work / "home").mkdir(mode=0o700)
    (work / "scratch").mkdir(mode=0o700)
    return work


async def _freeze(history: HistoryClient, tables: list[str], name: str) -> Freeze:
    return await asyncio.to_thread(freeze, history, tables, name)


async def _take_all(client: BusClient, scratch: Path) -> list[StreamSnapshot]:
    names = sorted(
        await stream_names(client), key=lambda name: (name.startswith(OBJECT_STORE_PREFIX), name)
    )
    return [await take_snapshot(client, name, scratch / f"{name}.snapshot") for name in names]


def _thaw(home: Home, history: HistoryClient, frozen: list[Freeze]) -> None:
    for one in frozen:
        unfreeze(history, one)
    for one in frozen:
        remove_frozen(home.history, one)


def _copy_history(home: Home, work: Path, frozen: Freeze) -> None:
    copy_definitions(home.history, work / "home" / "history")
    copy_frozen(home.history, work / "home" / "history", frozen)


def _copy_files(home: Home, target: Path) -> None:
    """Copy settings, credentials, keys and the spool."""
    for entry in sorted(home.root.iterdir()):
        if entry.name in LEFT_OUT or entry.is_socket():
            continue
        if entry == home.settings_file:
            _copy_settings(home, Home(target))
        elif entry.is_dir():
            shutil.copytree(entry, target / entry.name, copy_function=_copy_if_there)
        else:
            shutil.copy2(entry, target / entry.name)


def _copy_settings(home: Home, copy: Home) -> None:
    """Copy all but the ports: the home itself may use them, so the copy finds its own."""
    settings = read_json(home.settings_file) or {}
    write_json(copy.settings_file, {k: v for k, v in settings.items() if k != "ports"})


def _copy_if_there(source: str, target: str) -> str:
    """Copy a file of the spool; they come and go while agents run."""
    with suppress(FileNotFoundError):
        return shutil.copy2(source, target)
    return target


def _copy_stopped(home: Home, target: Path) -> None:
    for part in (home.history, home.nats / "store"):
        if part.is_dir():
            shutil.copytree(part, target / part.relative_to(home.root), symlinks=True)


async def _restore_all(home: Home, work: Path, snapshots: list[StreamSnapshot]) -> None:
    store = work / "home" / "nats" / "store"
    async with open_store(store, work / "scratch") as client:
        for snapshot in snapshots:
            state = await restore_snapshot(client, snapshot)
            _compare_states(snapshot, state)
            await asyncio.to_thread(snapshot.file.unlink)
    await asyncio.to_thread(_copy_stream_meta, home.nats / "store", store)


def _compare_states(snapshot: StreamSnapshot, state: dict[str, Any]) -> None:
    # The first sequence of a stream that never held anything reads 0 before and 1 after.
    place = ("first_seq",) if snapshot.state.get("messages") else ()
    for field in ("messages", "bytes", "last_seq", *place):
        if state.get(field) != snapshot.state.get(field):
            raise BackupError(
                directory=snapshot.stream,
                reason=f"its copy has {field} {state.get(field)}, not {snapshot.state.get(field)}",
            )


def _copy_stream_meta(source: Path, target: Path) -> None:
    """Give each stream its creation time back, which a restore makes anew.

    It is part of a stream's identity, to which the ledger is bound.
    """
    for restored in target.rglob(STREAM_META[0]):
        if restored.parent.parent.name == "streams":
            for name in STREAM_META:
                original = source / restored.parent.relative_to(target) / name
                shutil.copy2(original, restored.with_name(name))


async def _finish(work: Path, target: Path, tell: Tell) -> BackupReport:
    tell("checking the copy")
    home = work / "home"
    history = await asyncio.to_thread(check_copy, home / "history")
    async with open_store(home / "nats" / "store", work / "scratch") as client:
        streams = [await _copied_stream(client, name) for name in await stream_names(client)]
    report = BackupReport(directory=str(target), streams=tuple(streams), history=history)
    _judge(report)
    await asyncio.to_thread(_put_in_place, report, home, target)
    return report


async def _copied_stream(client: BusClient, name: str) -> CopiedStream:
    info = await client.jetstream().stream_info(name)
    return CopiedStream(
        stream=name,
        identity=stream_identity(info),
        messages=int(info.state.messages),
        first_seq=int(info.state.first_seq),
        last_seq=int(info.state.last_seq),
    )


def _judge(report: BackupReport) -> None:
    """Raise where the copy could not take over."""
    problems = [f"table {table} is damaged" for table in report.history.damaged_tables]
    if report.history.ledger_breaks:
        problems.append(f"its ledger breaks {report.history.ledger_breaks} times")
    ends = {stream.stream: stream.last_seq for stream in report.streams}
    for held in report.history.streams:
        if not held.is_whole:
            problems.append(f"history of {held.stream} ends inside a batch")
        if held.last_seq > ends.get(held.stream, 0):
            problems.append(f"history of {held.stream} is ahead of the stream")
    if problems:
        raise BackupError(directory=report.directory, reason="; ".join(problems))


def _put_in_place(report: BackupReport, home: Path, target: Path) -> None:
    manifest = asdict(report) | {"made_at_ns": time.time_ns()}
    (home / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", "utf-8")
    _sync(home)
    with suppress(FileNotFoundError):
        target.rmdir()
    home.replace(target)


def _sync(directory: Path) -> None:
    """Make sure that all of the copy is on disk."""
    for path in (directory, *directory.rglob("*")):
        if path.is_symlink() or not (path.is_dir() or path.is_file()):
            continue
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
