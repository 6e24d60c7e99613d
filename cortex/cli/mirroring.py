"""Mirrors as commands run them: which sources, how many at once, how they are ended."""

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cortex.cli import output
from cortex.cli.errors import CommandFailedError
from cortex.cli.places import bus_url
from cortex.cli.session import Session
from cortex.cli.session_pricing import listed_price
from cortex.cli.working import stopped_by_signals
from infrastructure.intake.sessions.detecting import is_folder_source, is_transcript
from infrastructure.intake.sessions.errors import SourceError
from infrastructure.intake.sessions.mirror import (
    POLL_SECONDS,
    Mirrored,
    MirrorOptions,
    SourceMirror,
)
from infrastructure.intake.sessions.places import (
    session_root,
    transcripts,
    with_children,
    works_in,
)
from infrastructure.intake.sessions.store import SessionStore, open_session_store
from infrastructure.intake.sessions.units import Redaction
from nervous_system.comms.open import open_bus
from nervous_system.config import BusConfig, use_configured_patterns
from nervous_system.home import Home, write_json

MIRRORS = "mirrors"
"""Folder of a home: a file for each process that follows sessions."""
DISCOVERY_SECONDS = 0.5
MAX_FOLLOWED = 256
PROGRESS_SECONDS = 0.2
_ENDED_POLL_SECONDS = 0.05
_ENDINGS = (".jsonl", ".json", ".db", ".traj", ".md")
_NO_TRANSCRIPTS = (".meta.json", "history.jsonl")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirroring:
    """What is asked for."""

    harness: str = ""
    """A harness, or a format; empty: as found."""
    source: Path | None = None
    session_id: str = ""
    directory: Path | None = None
    is_everything: bool = False
    is_following: bool = False
    poll_seconds: float = POLL_SECONDS
    is_redacting: bool = True
    min_bytes: int = 0


async def run_mirrors(session: Session, asked: Mirroring, *, is_json: bool) -> list[Mirrored]:
    """Mirror what is asked for, until its end or until stopped.

    Raises:
        NoSessionError: there is no such transcript.
        SourceError: one cannot be read.
        BusError: the bus is away.
    """
    paths = _sources(session, asked)
    reporter = _Reporter(is_json=is_json, is_following=asked.is_following)
    async with _open_store(session) as store:
        if not asked.is_following:
            found: list[Mirrored] = []
            for path in paths:
                found += await _mirror(store, session, asked, path, reporter).run()
            reporter.end()
            return found
        with stopped_by_signals() as stop, _registered(session.home, reporter):
            follower = _Follower(session, asked, store, reporter)
            await follower.run(paths, stop)
            return follower.results


async def import_paths(
    session: Session, asked: Mirroring, paths: Sequence[Path]
) -> tuple[list[Mirrored], list[str]]:
    """Store transcripts; return what became of each, and what could not be read and why.

    Raises:
        BusError: the bus is away.
    """
    sources = [one for path in paths for one in _files_in(path)]
    reporter = _Reporter(is_json=False, is_following=False)
    found: list[Mirrored] = []
    problems: list[str] = []
    async with _open_store(session) as store:
        for number, path in enumerate(sources, 1):
            output.progress(f"{number} of {len(sources)}: {path}")
            try:
                found += await _mirror(store, session, asked, path, reporter).run()
            except SourceError as error:
                problems.append(str(error))
    reporter.end()
    return found, problems


def stop_mirrors(home: Home, wanted: str, seconds: float) -> list[dict[str, Any]]:
    """End the processes that follow a session; an empty name stands for all.

    Raises:
        CommandFailedError: there is none, or one has not ended in time.
    """
    found = [
        (file, record)
        for file, record in _records(home)
        if not wanted or any(one.startswith(wanted) for one in record["sessions"])
    ]
    if not found:
        what = f"follows {wanted}" if wanted else "follows any session"
        raise CommandFailedError(f"no mirror of this home {what}")
    for _, record in found:
        with suppress(ProcessLookupError):
            os.kill(record["pid"], signal.SIGTERM)
    deadline = time.monotonic() + seconds
    for file, record in found:
        while _is_alive(record):
            if time.monotonic() > deadline:
                raise CommandFailedError(f"mirror {record['pid']} has not ended in {seconds:g} s")
            time.sleep(_ENDED_POLL_SECONDS)
        file.unlink(missing_ok=True)
    return [record for _, record in found]


class _Follower:
    """Follows sources, and those that come to be meanwhile."""

    def __init__(
        self, session: Session, asked: Mirroring, store: SessionStore, reporter: "_Reporter"
    ) -> None:
        self._session = session
        self._asked = asked
        self._store = store
        self._reporter = reporter
        self._mirrors: dict[Path, SourceMirror] = {}

    @property
    def results(self) -> list[Mirrored]:
        """What became of all sessions."""
        return [one for mirror in self._mirrors.values() for one in mirror.results]

    async def run(self, paths: Sequence[Path], stop: asyncio.Event) -> None:
        """Follow until stopped."""
        async with asyncio.TaskGroup() as group:
            self._start(group, paths)
            while not stop.is_set():
                with suppress(TimeoutError):
                    async with asyncio.timeout(DISCOVERY_SECONDS):
                        await stop.wait()
                if not stop.is_set():
                    self._start(group, self._new_sources(paths))
            for mirror in self._mirrors.values():
                mirror.stop()

    def _new_sources(self, first: Sequence[Path]) -> Sequence[Path]:
        if self._asked.is_everything and self._asked.source is None:
            return _sources(self._session, self._asked)
        return [one for path in first for one in with_children(path)]

    def _start(self, group: asyncio.TaskGroup, paths: Sequence[Path]) -> None:
        for path in paths:
            if path in self._mirrors or len(self._mirrors) >= MAX_FOLLOWED:
                continue
            mirror = _mirror(self._store, self._session, self._asked, path, self._reporter)
            self._mirrors[path] = mirror
            group.create_task(self._run(mirror, path))

    async def _run(self, mirror: SourceMirror, path: Path) -> None:
        """Follow one source; one of several that cannot be read does not end the others."""
        try:
            await mirror.run()
        except SourceError as error:
            if path == self._asked.source:
                raise
            output.note(f"swarm: {error}")


class _Reporter:
    """Says what is going on: progress on a terminal, JSON lines for those who follow."""

    def __init__(self, *, is_json: bool, is_following: bool) -> None:
        self._is_json = is_json
        self._is_following = is_following
        self._told: dict[str, int] = {}
        self._shown_at = 0.0
        self.sessions: set[str] = set()
        self.on_new_session: Callable[[], None] = _nothing

    def __call__(self, found: Mirrored) -> None:
        identity = found.identity
        if identity.session_id not in self.sessions:
            self.sessions.add(identity.session_id)
            self.on_new_session()
        if self._is_following:
            self._tell(found)
        elif time.monotonic() - self._shown_at > PROGRESS_SECONDS:
            self._shown_at = time.monotonic()
            lines = found.counts["lines"]
            output.progress(f"{identity.session_id}: {lines} lines, {found.stored_events} events")

    def end(self) -> None:
        """Clear the line of progress."""
        output.progress("")

    def _tell(self, found: Mirrored) -> None:
        key = f"{found.identity.key}/{found.path}"
        if self._told.get(key) == found.stored_events:
            return
        self._told[key] = found.stored_events
        if self._is_json:
            output.print_json_line(
                {
                    "session_id": found.identity.session_id,
                    "run_id": found.identity.run_id,
                    "path": str(found.path),
                    "lines": found.counts["lines"],
                    "stored_events": found.stored_events,
                }
            )
        else:
            lines = found.counts["lines"]
            print(f"{found.identity.session_id}  {lines} lines", flush=True)


def _nothing() -> None:
    """Nobody wants to know."""


@asynccontextmanager
async def _open_store(session: Session) -> AsyncIterator[SessionStore]:
    url = bus_url(session)
    use_configured_patterns(session.environment, session.home)
    async with (
        open_bus(BusConfig(url=url, name="swarm-sessions")) as bus,
        open_session_store(bus, bus.content, url) as store,
    ):
        yield store


def _mirror(
    store: SessionStore, session: Session, asked: Mirroring, path: Path, reporter: _Reporter
) -> SourceMirror:
    return SourceMirror(
        path,
        store,
        MirrorOptions(
            redaction=Redaction(key=session.home.redaction_key, is_on=asked.is_redacting),
            format=asked.harness,
            session_id=asked.session_id if asked.source or not asked.harness else "",
            is_following=asked.is_following,
            poll_seconds=asked.poll_seconds,
            price=listed_price,
        ),
        report=reporter,
    )


def _sources(session: Session, asked: Mirroring) -> list[Path]:
    if asked.source is not None:
        is_awaited = asked.is_following and not asked.source.exists()
        listed = [asked.source] if is_awaited else _files_in(asked.source)
        found = [one for path in listed for one in with_children(path)]
    else:
        root = session_root(asked.harness, session.environment)
        directory = (asked.directory or session.directory).resolve()
        is_narrow = asked.harness == "claude-code" and not (asked.is_everything or asked.session_id)
        listed = transcripts(
            asked.harness,
            root,
            directory=directory if is_narrow or asked.directory else None,
            session_id=asked.session_id,
        )
        found = _narrowed(listed, asked, directory)
    kept = dict.fromkeys(one for one in found if _is_large_enough(one, asked.min_bytes))
    return list(kept)


def _narrowed(listed: list[Path], asked: Mirroring, directory: Path) -> list[Path]:
    """Return the transcripts that are meant: all, those of a session, or the newest."""
    if asked.is_everything or asked.session_id or asked.harness == "hermes":
        return listed
    own = [one for one in listed if one.parent.name != "subagents"]
    there = (
        [one for one in own if works_in(one, directory)] if asked.harness != "claude-code" else own
    )
    if asked.directory is not None and not there:
        raise CommandFailedError(f"no session of {asked.harness} works in {directory}")
    newest = (there or own or listed)[-1]
    return with_children(newest)


def _is_large_enough(path: Path, min_bytes: int) -> bool:
    try:
        return not min_bytes or path.stat().st_size >= min_bytes
    except OSError:
        return True


def _files_in(path: Path) -> list[Path]:
    """Return the sources that a path stands for: itself, or those below it.

    Raises:
        SourceError: there is nothing, or no transcript below it.
    """
    if not path.exists():
        raise SourceError(path=str(path), reason="no such file")
    if not path.is_dir() or is_folder_source(path):
        return [path]
    found = list(_walk(path))
    if not found:
        raise SourceError(path=str(path), reason="no transcripts in it")
    return found


def _walk(folder: Path) -> Iterator[Path]:
    # files first: a session is stored before its sub-agents, whose folder is called as it is
    for path in sorted(folder.iterdir(), key=lambda one: (one.is_dir(), one.name)):
        if path.is_dir():
            yield from [path] if is_folder_source(path) else _walk(path)
        elif _may_be_one(path) and is_transcript(path):
            yield path


def _may_be_one(path: Path) -> bool:
    return path.name.endswith(_ENDINGS) and not path.name.endswith(_NO_TRANSCRIPTS)


# --- processes that follow


@contextmanager
def _registered(home: Home, reporter: _Reporter) -> Iterator[None]:
    """Let others find this process by the sessions that it follows."""
    folder = home.root / MIRRORS
    file = folder / f"{os.getpid()}.json"

    def write() -> None:
        with suppress(OSError):  # a home that cannot be written: nobody can stop us by name
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            record = {"pid": os.getpid(), "started": _started(os.getpid())}
            write_json(file, {**record, "sessions": sorted(reporter.sessions)})

    reporter.on_new_session = write
    write()
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def _records(home: Home) -> Iterator[tuple[Path, dict[str, Any]]]:
    for file in sorted((home.root / MIRRORS).glob("*.json")):
        try:
            record = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if _is_alive(record):
            yield file, record
        else:
            file.unlink(missing_ok=True)


def _is_alive(record: dict[str, Any]) -> bool:
    return bool(record["started"]) and _started(record["pid"]) == record["started"]


def _started(pid: int) -> str:
    """Return when a process was started, in ticks; empty: it is not there."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return ""
    fields = text.rpartition(")")[2].split()
    return "" if fields[0] == "Z" else fields[19]
