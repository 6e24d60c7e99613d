"""What `open_bus` finds out before it publishes."""

from nervous_system.comms.connection import BusClient
from nervous_system.comms.lookup import StreamLookup
from nervous_system.comms.streams import EVENTS_STREAM


async def test_duplicate_window_is_the_streams_own(client: BusClient, lookup: StreamLookup) -> None:
    jetstream = client.jetstream()
    assert await lookup.duplicate_window() == 120
    config = (await jetstream.stream_info(EVENTS_STREAM)).config
    await jetstream.update_stream(config.evolve(duplicate_window=2))
    assert await lookup.duplicate_window() == 2


async def test_duplicate_window_of_a_missing_stream_is_none(client: BusClient) -> None:
    """So that every unknown outcome is looked up."""
    assert await StreamLookup(client.jetstream(), "NOT_THERE", "").duplicate_window() == 0
