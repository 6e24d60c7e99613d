"""Mirrors sources: reads them on, as far as they are or as they grow, and stores what is new.

One mirror per source. It may be killed at any moment and started again anywhere: what is stored
says where to go on. Sources are only read.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from infrastructure.intake.sessions.detecting import (
    HEAD_BYTES,
    HEAD_LINES,
    detect,
    fallback_identity,
    first_time,
    head_objects,
    identify_lines,
)
from infrastructure.intake.sessions.documents import Document, read_document
from infrastructure.intake.sessions.errors import DivergedError, RewrittenError, SourceError
from infrastructure.intake.sessions.following import Change, FollowedFile
from infrastructure.intake.sessions.formats.registry import Format
from infrastructure.intake.sessions.identity import Identity
from infrastructure.intake.sessions.mapping import Mapper, Price, no_price
from infrastructure.intake.sessions.splitting import LineSplitter
from infrastructure.intake.sessions.store import SessionStore
from infrastructure.intake.sessions.units import Cleaner, Redaction
from infrastructure.intake.sessions.writer import SessionWriter, open_writer
from nervous_system.errors import BusError

logger = logging.getLogger(__name__)

POLL_SECONDS: Final = 0.01
"""How often a file that is followed is looked at."""
QUIET_SECONDS: Final = 2.0
"""After so much silence what is told twice or grows is complete."""
RETRY_SECONDS: Final = 1.0
MAX_REREADS: Final = 20
"""How often a source that is not followed is read again because it changes meanwhile."""
TURN_SECONDS: Final = 0.02
"""How long a source is read without letting others have their turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorOptions:
    """How sources are mirrored."""

    redaction: Redaction
    format: str = ""
    """A format or a harness; empty: as found."""
    session_id: str = ""
    """What the session is called, where it is given."""
    is_following: bool = False
    poll_seconds: float = POLL_SECONDS
    price: Price = no_price


@dataclass(slots=True, kw_only=True)
class Mirrored:
    """What became of one session of a source."""

    identity: Identity
    path: Path
    stored_events: int = 0
    stored_lines: int = 0
    counts: Mapping[str, int]
    drift: Mapping[str, int]
    redactions: Mapping[str, int]
    times_rewritten: int = 0


Report = Callable[[Mirrored], None]


class _Reading:
    """One file on its way through a writer, line by line."""

    def __init__(
        self, file: FollowedFile, cleaner: Cleaner, splitter: LineSplitter, writer: SessionWriter
    ) -> None:
        self._file = file
        self._cleaner = cleaner
        self._splitter = splitter
        self._writer = writer
        self._changed_at = time.monotonic()
        self._is_settled = False

    async def read_on(self) -> bool:
        """Write all lines up to the present end; whether there were any bytes."""
        turn = time.monotonic()
        is_new = False
        while data := self._file.read():
            is_new = True
            for line in self._splitter.feed(data):
                await self._writer.add(self._cleaner.line(line))
                if time.monotonic() - turn > TURN_SECONDS:
                    await asyncio.sleep(0)
                    turn = time.monotonic()
        if is_new:
            self._changed_at, self._is_settled = time.monotonic(), False
        return is_new

    async def read_rest(self) -> None:
        """Write what stands behind the last line's end."""
        rest = self._splitter.rest()
        if rest is not None:
            await self._writer.add(self._cleaner.line(rest))

    async def settle(self) -> None:
        """Store what waits; once nothing has come for a while, what is due then, too."""
        if not self._is_settled:
            is_quiet = time.monotonic() - self._changed_at >= QUIET_SECONDS
            await self._writer.settle(is_quiet=is_quiet)
            self._is_settled = is_quiet


class SourceMirror:
    """Mirrors one file, database or folder."""

    def __init__(
        self,
        path: Path,
        store: SessionStore,
        options: MirrorOptions,
        *,
        report: Report = lambda _: None,
    ) -> None:
        self._path = path
        self._store = store
        self._options = options
        self._report = report
        self._stop = asyncio.Event()
        self._results: dict[str, Mirrored] = {}

    def stop(self) -> None:
        """Ask it to end; what has been read is stored before."""
        self._stop.set()

    @property
    def results(self) -> list[Mirrored]:
        """What became of each session so far."""
        return list(self._results.values())

    async def run(self) -> list[Mirrored]:
        """Mirror until the end of the source, or, if it is followed, until stopped.

        Raises:
            SourceError: it cannot be read, or nobody knows its format.
            BusError: the bus is away; while a source is followed, that is waited for.
        """
        form = await self._detected()
        if form is None:
            return []
        if form.is_lines:
            await self._mirror_lines(form)
        else:
            await self._mirror_document(form)
        return self.results

    async def _detected(self) -> Format | None:
        """Return the format; of a file that is empty yet, once it has a line."""
        while True:
            try:
                if not self._options.is_following or self._path.stat().st_size:
                    return detect(self._path, self._options.format)
            except FileNotFoundError:
                if not self._options.is_following:
                    return detect(self._path, self._options.format)
            if await self._is_stopped_after(self._options.poll_seconds):
                return None

    # --- lines

    async def _mirror_lines(self, form: Format) -> None:
        is_rewritten, reread_count = False, 0
        while not self._stop.is_set():
            file = FollowedFile(self._path)
            try:
                outcome = await self._read_file(file, form, is_rewritten=is_rewritten)
            finally:
                file.close()
            if outcome is None:
                return
            is_rewritten = outcome
            reread_count = self._reread(reread_count)
            while not self._path.exists() and not await self._is_stopped_after(
                self._options.poll_seconds
            ):
                pass

    def _reread(self, count: int) -> int:
        if count >= MAX_REREADS and not self._options.is_following:
            raise SourceError(path=str(self._path), reason="changes faster than it can be read")
        return count + 1

    async def _read_file(
        self, file: FollowedFile, form: Format, *, is_rewritten: bool
    ) -> bool | None:
        """Mirror a file from its first line.

        Returns:
            None at the end; else it has to be read again, and whether it is a continuation of what
            is stored no more.
        """
        begun = await self._identity(file, form)
        if begun is None:
            return None
        identity, begun_ns = begun
        mapper = Mapper(
            identity,
            form.reader(),
            price=self._options.price,
            begun_ns=begun_ns or _age(self._path),
        )
        try:
            return await self._follow(file, form, mapper, is_rewritten=is_rewritten)
        except RewrittenError:
            logger.info(
                "source was rewritten",
                extra={"action": "source_rewritten", "path": str(self._path)},
            )
            return True
        except DivergedError:
            return False
        except BusError as error:
            if not self._options.is_following:
                raise
            await self._wait_for_bus(error)
            return False

    async def _identity(self, file: FollowedFile, form: Format) -> tuple[Identity, int] | None:
        """Return whose session a file holds, and when it began; None: asked to stop before."""
        head = b""
        while True:
            data = file.read()
            head += data
            objects = head_objects(head)
            found = identify_lines(self._path, form, objects, session_id=self._options.session_id)
            lines = head.count(b"\n")
            is_enough = lines >= HEAD_LINES or (lines > 0 and len(head) >= HEAD_BYTES)
            if found is not None or is_enough or not (data or self._options.is_following):
                file.rewind()
                identity = found or fallback_identity(
                    self._path, form, session_id=self._options.session_id
                )
                return identity, first_time(objects)
            if not data and await self._is_stopped_after(self._options.poll_seconds):
                return None

    async def _follow(
        self, file: FollowedFile, form: Format, mapper: Mapper, *, is_rewritten: bool
    ) -> bool | None:
        writer = await open_writer(
            mapper, self._store, is_rewritten=is_rewritten, facts=self._facts
        )
        cleaner = Cleaner(self._options.redaction, is_text=form.is_text)
        reading = _Reading(file, cleaner, LineSplitter(), writer)
        try:
            return await self._read_on(file, reading, writer, is_rewritten=is_rewritten)
        finally:
            await writer.abandon()

    async def _read_on(
        self,
        file: FollowedFile,
        reading: _Reading,
        writer: SessionWriter,
        *,
        is_rewritten: bool,
    ) -> bool | None:
        while True:
            if await reading.read_on():
                self._note(writer, is_rewritten=is_rewritten)
            if not self._options.is_following:
                await reading.read_rest()
                await self._end(writer, is_rewritten=is_rewritten)
                return None
            await reading.settle()
            await writer.keep_cursor_at_times()
            if await self._is_stopped_after(self._options.poll_seconds):
                await self._end(writer, is_rewritten=is_rewritten)
                return None
            change = file.look()
            if change is Change.REWRITTEN:
                await writer.flush()
                raise RewrittenError
            if change is Change.REPLACED:
                await self._end(writer, is_rewritten=is_rewritten)
                return False

    async def _end(self, writer: SessionWriter, *, is_rewritten: bool) -> None:
        await writer.settle()
        await writer.keep_cursor()
        self._note(writer, is_rewritten=is_rewritten)

    # --- documents

    async def _mirror_document(self, form: Format) -> None:
        seen: object = None
        while True:
            present = _state_of(self._path) if self._options.is_following else None
            if present != seen or present is None:
                is_done = await self._mirror_sessions(form)
                seen = present if is_done else None
            if not self._options.is_following or await self._is_stopped_after(
                self._options.poll_seconds
            ):
                return

    async def _mirror_sessions(self, form: Format) -> bool:
        """Mirror all sessions of a document; False: the bus is away, and that is waited for."""
        try:
            for document in self._documents(form):
                await self._mirror_session(document)
        except BusError as error:
            if not self._options.is_following:
                raise
            await self._wait_for_bus(error)
            return False
        return True

    def _documents(self, form: Format) -> Iterator[Document]:
        wanted = self._options.session_id
        found = read_document(self._path, form, session_id=wanted)
        for one in found:
            if not wanted or len(found) == 1 or wanted == one.identity.session_id:
                yield one

    async def _mirror_session(self, document: Document) -> None:
        is_rewritten, reread_count = False, 0
        while True:
            mapper = Mapper(
                document.identity,
                document.format.reader(),
                price=self._options.price,
                begun_ns=_age(self._path),
            )
            try:
                writer = await open_writer(
                    mapper, self._store, is_rewritten=is_rewritten, facts=self._facts
                )
                cleaner = Cleaner(self._options.redaction, is_text=document.format.is_text)
                try:
                    for unit in document.units(cleaner):
                        await writer.add(unit)
                    await writer.settle(document.late_objects)
                    await writer.keep_cursor()
                finally:
                    await writer.abandon()
            except RewrittenError:
                is_rewritten = True
            except DivergedError:
                is_rewritten = False
            else:
                self._note(writer, is_rewritten=is_rewritten)
                return
            reread_count = self._reread(reread_count)

    # --- what is said

    def _facts(self) -> Mapping[str, Any]:
        return {"path": str(self._path), "is_redacted": self._options.redaction.is_on}

    def _note(self, writer: SessionWriter, *, is_rewritten: bool) -> None:
        identity = writer.identity
        before = self._results.get(identity.key)
        found = Mirrored(
            identity=identity,
            path=self._path,
            stored_events=writer.progress.stored_events,
            stored_lines=writer.progress.stored_lines,
            counts=writer.counts(),
            drift=dict(writer.mapper.reader.drift),
            redactions=writer.redactions,
            times_rewritten=(before.times_rewritten if before else 0) + is_rewritten,
        )
        self._results[identity.key] = found
        self._report(found)

    async def _wait_for_bus(self, error: BusError) -> None:
        logger.warning(
            "bus is away",
            extra={"action": "mirror_waits", "path": str(self._path), "reason": str(error)},
        )
        await self._is_stopped_after(RETRY_SECONDS)

    async def _is_stopped_after(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._stop.wait()
        except TimeoutError:
            pass
        return self._stop.is_set()


def _age(path: Path) -> int:
    """Return when a source was written last, in nanoseconds since 1970; 0: it is not there."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _state_of(path: Path) -> tuple[tuple[int, int], ...]:
    """Return what changes when a document, or a database with its log, is written."""
    found = []
    for one in (path, path.with_name(f"{path.name}-wal")):
        try:
            state = one.stat()
        except OSError:
            continue
        found.append((state.st_size, state.st_mtime_ns))
    return tuple(found)
