"""What is wrong with a set-up and what to do about it; pure: facts in, findings out.

`facts` gathers. A fact that could not be had is None, and the finding then says that it was not
checked: silence is never taken for health.
"""

import enum
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

MAX_CLOCK_DIFFERENCE = timedelta(seconds=2)
WARN_SHARE = 0.5
"""Part of a limit from which on it is worth a warning."""
FAIL_SHARE = 0.8
OWNER_ONLY = 0o077
"""Permission bits that nothing in a home may have."""
OLDEST_NATS_SERVER = (2, 12)
"""The first with atomic batches."""


class Level(enum.StrEnum):
    """How bad a finding is."""

    OK = "ok"
    SKIPPED = "skipped"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check."""

    check: str
    level: Level
    detail: str
    fix: str = ""
    """What to do; empty where nothing has to be done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamFacts:
    """One stream as the server describes it."""

    name: str
    first_sequence: int
    last_sequence: int
    bytes: int
    max_bytes: int
    """0 or less: no cap."""
    max_age: timedelta
    """Zero: never expires."""
    refuses_when_full: bool = True
    """Otherwise it drops its oldest."""
    ingested_sequence: int | None = None
    """The newest in history; None where the stream is not ingested or history cannot be asked."""
    oldest_waiting_age: timedelta | None = None
    """Age of the oldest event that is not in history yet; None if there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What was found out about one home."""

    home: str
    is_running: bool
    trouble: str = ""
    """What the supervisor says is wrong."""
    syncs_always: bool | None = None
    """Whether the bus syncs before it acknowledges."""
    free_bytes: int | None = None
    """Room on the disk of the bus's store."""
    streams: Sequence[StreamFacts] = ()
    versions: Mapping[str, str | None] = field(default_factory=dict)
    """Part to version; None where the part is not installed or does not answer."""
    clock_difference: Mapping[str, timedelta] = field(default_factory=dict)
    """Process to how far its clock is from ours."""
    modes: Mapping[str, int] = field(default_factory=dict)
    """File of the home to its permission bits."""
    has_pages: bool | None = None
    """Whether the dashboard's pages are there; None: the dashboard is not installed."""


def examine(facts: Facts) -> list[Finding]:
    """Return one finding per thing that was looked at, in the order of the checks."""
    checks: tuple[Callable[[Facts], Iterator[Finding]], ...] = (
        _stack,
        _fsync,
        _space,
        _waiting,
        _fill,
        _versions,
        _pages,
        _clock,
        _permissions,
    )
    return [finding for check in checks for finding in check(facts)]


def _stack(facts: Facts) -> Iterator[Finding]:
    if facts.trouble:
        yield Finding("stack", Level.FAILED, facts.trouble, "see the logs in the home")
    elif facts.is_running:
        yield Finding("stack", Level.OK, f"runs in {facts.home}")
    else:
        yield Finding(
            "stack", Level.WARNING, f"no stack runs for {facts.home}", "start it with `swarm up`"
        )


def _fsync(facts: Facts) -> Iterator[Finding]:
    if facts.syncs_always is None:
        yield Finding("fsync", Level.SKIPPED, "the bus cannot be asked")
    elif facts.syncs_always:
        yield Finding("fsync", Level.OK, "every acknowledged event is on disk")
    else:
        yield Finding(
            "fsync",
            Level.FAILED,
            "the bus acknowledges up to two minutes before it syncs",
            "set `sync_interval: always` in its jetstream block and restart it",
        )


def _space(facts: Facts) -> Iterator[Finding]:
    if facts.free_bytes is None or not facts.streams:
        yield Finding("space", Level.SKIPPED, "free space or streams are not known")
        return
    still = sum(max(0, stream.max_bytes - stream.bytes) for stream in facts.streams)
    detail = f"{_size(facts.free_bytes)} free, the streams may still take {_size(still)}"
    if still > facts.free_bytes:
        fix = "make room, or lower max_stream_bytes in swarm.json: a full disk stops the bus"
        yield Finding("space", Level.WARNING, detail, fix)
    else:
        yield Finding("space", Level.OK, detail)


def _waiting(facts: Facts) -> Iterator[Finding]:
    for stream in facts.streams:
        if stream.ingested_sequence is not None:
            yield _waiting_in(stream, stream.ingested_sequence)


def _waiting_in(stream: StreamFacts, ingested: int) -> Finding:
    name = f"waiting {stream.name}"
    lost = stream.first_sequence - 1 - ingested
    if lost > 0 and stream.last_sequence > 0:
        fix = "look for them in a backup; run `swarm ingest` without pause from here on"
        return Finding(name, Level.FAILED, f"{lost} events expired before they were ingested", fix)
    waiting = max(0, stream.last_sequence - ingested)
    age = stream.oldest_waiting_age
    if not waiting or age is None or not stream.max_age:
        return Finding(name, Level.OK, f"{waiting} events wait for ingestion")
    share = age / stream.max_age
    detail = f"{waiting} events wait, the oldest for {_days(age)} of {_days(stream.max_age)}"
    level = _level(share)
    fix = "" if level is Level.OK else "find out why the ingestor lags: its log, its /metrics"
    return Finding(name, level, detail, fix)


def _fill(facts: Facts) -> Iterator[Finding]:
    for stream in facts.streams:
        if stream.max_bytes > 0 and stream.refuses_when_full:
            level = _level(stream.bytes / stream.max_bytes)
            detail = f"{_size(stream.bytes)} of {_size(stream.max_bytes)}"
            fix = "" if level is Level.OK else "a full stream refuses events: raise its cap"
            yield Finding(f"fill {stream.name}", level, detail, fix)


def _versions(facts: Facts) -> Iterator[Finding]:
    for part, version in facts.versions.items():
        if version is None:
            fix = "install enchanted-swarm[embedded]"
            yield Finding(f"version {part}", Level.SKIPPED, "not installed or not answering", fix)
        elif part == "nats-server" and _numbers(version) < OLDEST_NATS_SERVER:
            fix = "update nats-server: atomic batches came with 2.12"
            yield Finding(f"version {part}", Level.FAILED, version, fix)
        else:
            yield Finding(f"version {part}", Level.OK, version)


def _pages(facts: Facts) -> Iterator[Finding]:
    if facts.has_pages is None:
        fix = "install enchanted-swarm[server]"
        yield Finding("dashboard", Level.SKIPPED, "not installed", fix)
    elif facts.has_pages:
        yield Finding("dashboard", Level.OK, "its pages are built")
    else:
        fix = "run `make web` in the checkout, or install a package that was built with them"
        yield Finding("dashboard", Level.WARNING, "its pages are not built", fix)


def _clock(facts: Facts) -> Iterator[Finding]:
    for process, difference in facts.clock_difference.items():
        detail = f"{difference.total_seconds():+.3f} s from ours"
        if abs(difference) > MAX_CLOCK_DIFFERENCE:
            fix = "synchronise the clocks: event times and expiry go by them"
            yield Finding(f"clock {process}", Level.WARNING, detail, fix)
        else:
            yield Finding(f"clock {process}", Level.OK, detail)


def _permissions(facts: Facts) -> Iterator[Finding]:
    for path, mode in facts.modes.items():
        if mode & OWNER_ONLY:
            fix = f"chmod go-rwx {path}; if others may have read it, remove it and restart"
            detail = f"{mode:04o}: others can get at it"
            yield Finding(f"permissions {path}", Level.FAILED, detail, fix)
        else:
            yield Finding(f"permissions {path}", Level.OK, f"{mode:04o}")


def _level(share: float) -> Level:
    if share >= FAIL_SHARE:
        return Level.FAILED
    return Level.WARNING if share >= WARN_SHARE else Level.OK


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())


def _size(count: int) -> str:
    return f"{count / 1024**3:.1f} GiB" if count >= 1024**3 else f"{count / 1024**2:.1f} MiB"


def _days(span: timedelta) -> str:
    return f"{span / timedelta(days=1):.1f} days"
