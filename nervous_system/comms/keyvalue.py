"""Small shared values by key: a thin, typed layer on the bus's key-value buckets.

A value's revision is what compare-and-set is conditioned on.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import nats.js.errors
from nats.js import JetStreamContext, api
from nats.js.kv import KV_DEL, KV_PURGE
from nats.js.kv import KeyValue as DriverKeyValue

from nervous_system.comms.connection import translated
from nervous_system.errors import WrongRevisionError

WRONG_LAST_SEQUENCE = 10071


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyEntry:
    """A key's state at one revision."""

    key: str
    value: bytes | None
    """None: removed."""
    revision: int
    """Grows with each write to the bucket."""


class KeyValueBucket:
    """One bucket. Made by `open_key_value`."""

    def __init__(self, store: DriverKeyValue, bucket: str, servers: str) -> None:
        self._store = store
        self._bucket = bucket
        self._servers = servers

    async def get(self, key: str) -> KeyEntry | None:
        """Return the key's value and revision; None where there is no value.

        Raises:
            BusUnavailableError: the bus is away.
        """
        with translated("get", self._servers):
            try:
                found = await self._store.get(key)
            except nats.js.errors.KeyNotFoundError:
                return None
        return KeyEntry(key=key, value=found.value or b"", revision=int(found.revision or 0))

    async def put(self, key: str, value: bytes) -> int:
        """Write whatever is there now and return the new revision.

        Raises:
            BusUnavailableError: the bus is away.
        """
        with translated("put", self._servers):
            return int(await self._store.put(key, value))

    async def compare_and_set(self, key: str, value: bytes, revision: int) -> int:
        """Write if the key is still at `revision` (0: has no value) and return the new revision.

        Raises:
            WrongRevisionError: somebody else has written meanwhile.
            BusUnavailableError: the bus is away; whether this was written is unknown.
        """
        with translated("compare and set", self._servers), self._conditional(key, revision):
            if revision == 0:
                return int(await self._store.create(key, value))
            return int(await self._store.update(key, value, last=revision))

    async def remove(self, key: str, revision: int | None = None) -> None:
        """Remove the value, if `revision` is given only while the key is at that.

        Raises:
            WrongRevisionError: somebody else has written meanwhile.
            BusUnavailableError: the bus is away.
        """
        with translated("remove", self._servers), self._conditional(key, revision or 0):
            await self._store.delete(key, last=revision)

    async def watch(self, keys: str = ">") -> AsyncIterator[KeyEntry]:
        """Yield the present state of each matching key, then every change, until closed.

        Raises:
            BusUnavailableError: the bus is away.
        """
        with translated("watch", self._servers):
            watcher = await self._store.watch(keys)
        try:
            async for found in watcher:
                if found is None:
                    continue  # the driver's mark between present state and changes
                is_removed = found.operation in {KV_DEL, KV_PURGE}
                yield KeyEntry(
                    key=str(found.key),
                    value=None if is_removed else found.value or b"",
                    revision=int(found.revision or 0),
                )
        finally:
            await watcher.stop()  # type: ignore[no-untyped-call] # as in nats-py

    @contextmanager
    def _conditional(self, key: str, revision: int) -> Iterator[None]:
        try:
            yield
        except nats.js.errors.KeyWrongLastSequenceError as error:
            raise WrongRevisionError(bucket=self._bucket, key=key, expected=revision) from error
        except nats.js.errors.BadRequestError as error:
            if error.err_code != WRONG_LAST_SEQUENCE:
                raise
            raise WrongRevisionError(bucket=self._bucket, key=key, expected=revision) from error


async def open_key_value(
    jetstream: JetStreamContext,
    bucket: str,
    *,
    servers: str,
    history: int = 1,
    expire_after: timedelta | None = None,
    replicas: int = 1,
) -> KeyValueBucket:
    """Bind to a bucket, made if it does not exist.

    Args:
        jetstream: Of the connection.
        bucket: Its name.
        servers: How the bus is named in errors.
        history: Revisions kept of each key.
        expire_after: After which values go; None: never.
        replicas: 1, or 3 on a cluster.

    Raises:
        BusUnavailableError: the bus is away.
    """
    with translated("open bucket", servers):
        try:
            store = await jetstream.key_value(bucket)
        except nats.js.errors.BucketNotFoundError:
            config = api.KeyValueConfig(
                bucket=bucket,
                history=history,
                ttl=expire_after.total_seconds() if expire_after else None,
                replicas=replicas,
            )
            store = await jetstream.create_key_value(config)
    return KeyValueBucket(store, bucket, servers)
