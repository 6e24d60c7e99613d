"""Declares the streams and the object store, or brings them in line with this version."""

from infrastructure.stack.config import DeclareConfig
from nervous_system.comms.connection import open_nats, redact_url, translated
from nervous_system.comms.streams import (
    declare_content_bucket,
    declare_memory_bucket,
    declare_streams,
    swarm_streams,
)

CONTENT_SHARE = 4
"""The object store gets this part of the cap of the stream of events."""
MEMORY_SHARE = 64
"""So does the bucket of what agents keep in mind."""


async def declare_all(config: DeclareConfig) -> None:
    """Declare everything that the swarm keeps on the bus.

    Raises:
        StreamMismatchError: a stream exists and differs in what cannot be changed.
        BusUnavailableError: no server could be reached.
    """
    streams = swarm_streams(
        max_bytes=config.max_bytes,
        replicas=config.replicas,
        duplicate_window=config.duplicate_window,
    )
    async with open_nats(config.nats_url, name="declare") as client:
        jetstream = client.jetstream()
        with translated("declaring the streams", redact_url(config.nats_url)):
            await declare_streams(jetstream, streams)
            await declare_content_bucket(
                jetstream,
                max_bytes=config.max_bytes // CONTENT_SHARE,
                replicas=config.replicas,
            )
            await declare_memory_bucket(
                jetstream,
                max_bytes=config.max_bytes // MEMORY_SHARE,
                replicas=config.replicas,
            )
