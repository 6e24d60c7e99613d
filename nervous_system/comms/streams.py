"""Streams and buckets of the swarm: what is declared, and how a found one is brought in line.

Declaring is idempotent. What differs is updated where the server allows it and refused with both
values where it does not; settings that the declaration says nothing about are left alone.
"""

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import nats.js.errors
from nats.js import JetStreamContext, api

from nervous_system.errors import StreamMismatchError

EVENTS_STREAM = "ENCHANTED_SWARM"
TASKS_STREAM = "SWARM_TASKS"
SPANS_STREAM = "SWARM_SPANS"
CHECKPOINTS_STREAM = "SWARM_CHECKPOINTS"
COORDINATION_STREAM = "SWARM_COORDINATION"
CONTENT_BUCKET = "SWARM_CONTENT"
MEMORY_BUCKET = "SWARM_MEMORY"
"""Key-value: what agents keep in mind in their runs."""
MEMORY_KEPT_FOR = timedelta(days=30)

GIBIBYTE = 1024**3
DEFAULT_MAX_BYTES = 32 * GIBIBYTE
FREE_SPACE_SHARE = 0.25
"""Most of the free space that the stream of events may take; the others take as much again."""
DUPLICATE_WINDOW = timedelta(minutes=2)
NEVER = timedelta(0)

UNCHANGEABLE = frozenset({"name", "storage", "retention"})
"""Fields that the server refuses to change on an existing stream."""
ONE_WAY = {"deny_delete": False, "deny_purge": False}
"""Fields that can be switched on but not off again; the value is what they can only leave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamConfig:
    """One declared stream."""

    name: str
    subjects: tuple[str, ...]
    retention: api.RetentionPolicy = api.RetentionPolicy.LIMITS
    discard: api.DiscardPolicy = api.DiscardPolicy.NEW
    max_age: timedelta = timedelta(days=30)
    """Zero: messages never expire."""
    max_bytes: int = DEFAULT_MAX_BYTES
    """Size on disk; with `discard: new` a full stream refuses publishes."""
    duplicate_window: timedelta = DUPLICATE_WINDOW
    """For how long a repeated message id is recognised."""
    replicas: int = 1
    """1, or 3 on a cluster."""
    is_compressed: bool = True
    allows_atomic: bool = True
    """Atomic batches, which is how groups are committed."""
    denies_removal: bool = False
    """Neither single messages nor all of them can be removed."""

    def declared(self) -> dict[str, object]:
        """Return the fields of the server's configuration that this declaration fixes."""
        return {
            "name": self.name,
            "subjects": list(self.subjects),
            "storage": api.StorageType.FILE,
            "retention": self.retention,
            "discard": self.discard,
            "max_age": self.max_age.total_seconds(),
            "max_bytes": self.max_bytes,
            "duplicate_window": self.duplicate_window.total_seconds(),
            "num_replicas": self.replicas,
            "compression": api.StoreCompression.S2
            if self.is_compressed
            else api.StoreCompression.NONE,
            "allow_direct": True,
            "allow_atomic": self.allows_atomic,
            "deny_delete": self.denies_removal,
            "deny_purge": self.denies_removal,
        }


def swarm_streams(
    *,
    max_bytes: int = DEFAULT_MAX_BYTES,
    replicas: int = 1,
    duplicate_window: timedelta = DUPLICATE_WINDOW,
) -> tuple[StreamConfig, ...]:
    """Return the streams of a swarm.

    Args:
        max_bytes: Cap of the stream of events; the others get a fixed share of it.
        replicas: 1, or 3 on a cluster.
        duplicate_window: For how long the stream of events recognises a repeated message id.
    """
    return (
        StreamConfig(
            name=EVENTS_STREAM,
            subjects=("swarm.events.>",),
            max_bytes=max_bytes,
            duplicate_window=duplicate_window,
            replicas=replicas,
        ),
        StreamConfig(
            name=TASKS_STREAM,
            subjects=("swarm.tasks.>",),
            retention=api.RetentionPolicy.WORK_QUEUE,
            max_bytes=max_bytes // 16,
            replicas=replicas,
        ),
        StreamConfig(
            name=SPANS_STREAM,
            subjects=("swarm.spans.>",),
            max_age=timedelta(days=7),
            discard=api.DiscardPolicy.OLD,
            max_bytes=max_bytes // 4,
            replicas=replicas,
        ),
        StreamConfig(
            name=CHECKPOINTS_STREAM,
            subjects=("swarm.checkpoints.>",),
            max_age=NEVER,
            max_bytes=max_bytes // 16,
            replicas=replicas,
            denies_removal=True,
        ),
        StreamConfig(
            name=COORDINATION_STREAM,
            subjects=("swarm.coordination.>",),
            max_age=NEVER,
            max_bytes=max_bytes // 8,
            replicas=replicas,
        ),
    )


def affordable_max_bytes(store: Path, wanted: int = DEFAULT_MAX_BYTES) -> int:
    """Return `wanted`, or what the free space below `store` affords.

    A full disk stops the whole server.
    """
    folder = store
    while not folder.exists():
        folder = folder.parent
    return min(wanted, int(shutil.disk_usage(folder).free * FREE_SPACE_SHARE))


@dataclass(frozen=True, slots=True)
class Comparison:
    """How a found stream differs from the declared one."""

    updates: Mapping[str, object]
    """Fields that the server will change."""
    conflicts: Mapping[str, tuple[object, object]]
    """Fields that it will not: declared and found."""


def compare_stream(declared: Mapping[str, object], found: Mapping[str, object]) -> Comparison:
    """Return what would have to change in `found` to be as `declared`; pure."""
    updates: dict[str, object] = {}
    conflicts: dict[str, tuple[object, object]] = {}
    for field, wanted in declared.items():
        actual = found.get(field)
        if _normal(actual) == _normal(wanted):
            continue
        is_stuck = field in ONE_WAY and actual is not ONE_WAY[field] and bool(actual)
        if field in UNCHANGEABLE or is_stuck:
            conflicts[field] = (wanted, actual)
        else:
            updates[field] = wanted
    return Comparison(updates, conflicts)


def _normal(value: object) -> object:
    """Return a form in which unset, zero and order of subjects do not matter."""
    if isinstance(value, list):
        return sorted(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value or 0


async def declare_stream(jetstream: JetStreamContext, config: StreamConfig) -> api.StreamInfo:
    """Create the stream, or bring it in line with `config`.

    Raises:
        StreamMismatchError: it exists and differs in what cannot be changed.
    """
    declared = config.declared()
    try:
        found = await jetstream.stream_info(config.name)
    except nats.js.errors.NotFoundError:
        return await _create(jetstream, config)
    actual = vars(found.config)
    comparison = compare_stream(declared, actual)
    if comparison.conflicts:
        raise StreamMismatchError(stream=config.name, differences=comparison.conflicts)
    if not comparison.updates:
        return found
    try:
        return await jetstream.update_stream(found.config.evolve(**comparison.updates))
    except nats.js.errors.APIError as error:
        differences = {field: (declared[field], actual.get(field)) for field in comparison.updates}
        raise StreamMismatchError(stream=config.name, differences=differences) from error


async def _create(jetstream: JetStreamContext, config: StreamConfig) -> api.StreamInfo:
    settings: dict[str, Any] = config.declared()
    try:
        return await jetstream.add_stream(api.StreamConfig(**settings))
    except nats.js.errors.BadRequestError:
        # Another process has created it between our look and our attempt, perhaps with other
        # settings.
        found = await jetstream.stream_info(config.name)
        comparison = compare_stream(config.declared(), vars(found.config))
        if comparison.conflicts or comparison.updates:
            return await declare_stream(jetstream, config)
        return found


async def declare_streams(
    jetstream: JetStreamContext, configs: Iterable[StreamConfig]
) -> dict[str, api.StreamInfo]:
    """Declare each stream; return what the server says of them, by name.

    Raises:
        StreamMismatchError: one exists and differs in what cannot be changed.
    """
    return {config.name: await declare_stream(jetstream, config) for config in configs}


async def declare_content_bucket(
    jetstream: JetStreamContext, *, max_bytes: int = DEFAULT_MAX_BYTES // 4, replicas: int = 1
) -> None:
    """Create the object store that carries large content; let it take atomic batches."""
    try:
        await jetstream.object_store(CONTENT_BUCKET)
    except nats.js.errors.NotFoundError:
        config = api.ObjectStoreConfig(
            description="Content by SHA-256, until history has it",
            max_bytes=max_bytes,
            storage=api.StorageType.FILE,
            replicas=replicas,
        )
        await jetstream.create_object_store(CONTENT_BUCKET, config=config)
    found = (await jetstream.stream_info(f"OBJ_{CONTENT_BUCKET}")).config
    if not found.allow_atomic:
        await jetstream.update_stream(found.evolve(allow_atomic=True))


async def declare_memory_bucket(
    jetstream: JetStreamContext, *, max_bytes: int = DEFAULT_MAX_BYTES // 64, replicas: int = 1
) -> None:
    """Create the key-value bucket of what agents keep in mind, if it does not exist yet."""
    try:
        await jetstream.key_value(MEMORY_BUCKET)
    except nats.js.errors.BucketNotFoundError:
        config = api.KeyValueConfig(
            bucket=MEMORY_BUCKET,
            description="What agents keep in mind in their runs",
            ttl=MEMORY_KEPT_FOR.total_seconds(),
            max_bytes=max_bytes,
            storage=api.StorageType.FILE,
            replicas=replicas,
        )
        await jetstream.create_key_value(config)


def stream_identity(info: api.StreamInfo) -> str:
    """Return name and creation time, `NAME@2026-01-02T03:04:05.678901Z`.

    A stream that was made anew is another one.
    """
    created = info.created
    if not isinstance(created, datetime):
        raise TypeError(f"stream {info.config.name} came without its creation time")
    text = created.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return f"{info.config.name}@{text}"
