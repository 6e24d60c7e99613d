"""Values that agents share under dotted keys: read, changed on a condition, watched.

A change is one event; the sequence of the newest one is the value's revision. What this process has
read or written spares it reading before it writes again; where others have written meanwhile, it
reads, and tries again.
"""

from collections.abc import AsyncGenerator, Iterable, Sequence
from typing import Any

from cortex.coordination import memory_rules, places
from cortex.coordination.causes import Causes
from cortex.coordination.errors import BusyError, ValueMissingError
from cortex.coordination.log import Entry, SharedLog
from cortex.coordination.memory_rules import Value
from cortex.coordination.names import key_name
from nervous_system import events
from nervous_system.errors import WrongSequenceError
from nervous_system.payloads import MEMORY_FORMATS, MemoryFormat

TRIES = 50


class SharedMemory:
    """The values of one project, for one agent."""

    def __init__(self, log: SharedLog, causes: Causes) -> None:
        self._log = log
        self._causes = causes
        self._project = log.author.project
        self._revisions: dict[str, int] = {}
        """Newest known sequence of keys that this process has changed."""

    async def get(self, key: str) -> Value:
        """Return the value under a key.

        Raises:
            ValueMissingError: there is none.
        """
        found = await self._find(key_name(key))
        if not found.exists:
            raise ValueMissingError(key=key)
        return found

    async def set(
        self,
        key: str,
        value: Any,
        *,
        as_json: bool = False,
        if_revision: int | None = None,
        because: Iterable[str] = (),
    ) -> Value:
        """Keep a value: a text, or anything that JSON can hold.

        Args:
            key: names with dots between them.
            value: up to 1 MiB.
            as_json: keep a text as a JSON value, too.
            if_revision: the revision that it must be at; 0: there must be none.
            because: ids of the events that led to it.

        Raises:
            RevisionChangedError: it is at another revision; nothing was changed.
            ValueRefusedError: it cannot be kept.
        """
        name = key_name(key)
        text, written_as = memory_rules.encode_value(name, value, as_json=as_json)
        return await self._change(name, text, written_as, if_revision, because)

    async def delete(
        self, key: str, *, if_revision: int | None = None, because: Iterable[str] = ()
    ) -> Value:
        """Delete the value under a key; its history stays.

        Raises:
            ValueMissingError: there is none.
            RevisionChangedError: it is at another revision; nothing was changed.
        """
        found = await self.get(key)
        return await self._change(found.key, "", "deleted", if_revision, because)

    async def list(self, path: str = "") -> list[Value]:
        """Return the values under a path, by key; all of them where none is given.

        Raises:
            BusUnavailableError: the bus is away.
        """
        entries = await self._log.newest_of_each(places.whole(places.MEMORY, self._project))
        newest = {one.key: one for one in map(read_value, entries) if one is not None}
        return [
            newest[key]
            for key in sorted(newest)
            if newest[key].exists and memory_rules.is_below(key, path)
        ]

    async def history(self, key: str) -> Sequence[Value]:
        """Return all that a key has held, oldest first, deletions included.

        Raises:
            ValueMissingError: it was never used.
        """
        pattern = places.thing(places.MEMORY, self._project, key_name(key))
        entries = await self._log.all(pattern)
        found = [one for entry in entries if (one := read_value(entry)) is not None]
        if not found:
            raise ValueMissingError(key=key)
        return found

    async def watch(self, path: str = "") -> AsyncGenerator[Value, None]:
        """Yield changes of values under a path from now on, deletions included; never ends."""
        start = await self._log.end() + 1
        pattern = places.whole(places.MEMORY, self._project)
        async for entry in self._log.follow(pattern, start=start):
            value = read_value(entry)
            if value is not None and memory_rules.is_below(value.key, path):
                yield value

    async def _find(self, key: str) -> Value:
        pattern = places.thing(places.MEMORY, self._project, key)
        found, sequence = await self._log.newest_read(pattern, read_value)
        self._revisions[key] = sequence
        return found or Value(key=key)

    async def _change(
        self,
        key: str,
        text: str,
        written_as: MemoryFormat,
        if_revision: int | None,
        because: Iterable[str],
    ) -> Value:
        causes = self._causes.for_next(because)
        payload = events.memory_change(key, text, format=written_as)
        pattern = places.thing(places.MEMORY, self._project, key)
        for _ in range(TRIES):
            if if_revision is not None or key not in self._revisions:
                found = await self._find(key)
                if if_revision is not None:
                    memory_rules.check_revision(found, if_revision)
            try:
                written = await self._log.write(
                    payload, pattern, self._revisions[key], because=causes
                )
            except WrongSequenceError:
                self._revisions.pop(key, None)
                continue
            self._revisions[key] = written.sequence
            kept = written.event.memory_change.memory_value
            return Value(
                key=key,
                text=kept,
                format=written_as,
                agent=self._log.author.agent,
                revision=written.sequence,
                event_id=written.event_id,
                redacted=written.redacted,
            )
        raise BusyError(what=f"value {key!r}", tries=TRIES)


def read_value(entry: Entry) -> Value | None:
    """Return the value that a message sets; None where it sets none."""
    names = places.parse(entry.subject, places.MEMORY)
    if names is None or len(names) != 2 or entry.event is None:
        return None
    said = entry.event.memory_change
    is_change = entry.event.WhichOneof("payload") == "memory_change"
    kept_as = next((one for one in MEMORY_FORMATS if one == said.memory_format), None)
    if not is_change or said.memory_key != names[0] or kept_as is None:
        return None
    return Value(
        key=names[0],
        text=said.memory_value,
        format=kept_as,
        revision=entry.sequence,
        agent=entry.agent,
        at=entry.at,
        event_id=entry.event.event_id,
        redacted=sum(entry.event.redactions.values()),
    )
