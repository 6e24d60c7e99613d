"""The blocking form: the same calls, from programs without an event loop."""

import asyncio
from pathlib import Path

import nats
import pytest

import nervous_system as ns
from nervous_system.comms.streams import declare_content_bucket, declare_streams, swarm_streams
from nervous_system.errors import ConfigError, InvalidEventError
from tests.support.servers import NatsServer


@pytest.fixture
def bus(nats_server: NatsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> NatsServer:
    async def declare() -> None:
        client = await nats.connect(nats_server.url)
        await declare_streams(client.jetstream(), swarm_streams(max_bytes=10**9))
        await declare_content_bucket(client.jetstream(), max_bytes=10**8)
        await client.close()

    asyncio.run(declare())
    monkeypatch.setenv("SWARM_NATS_URL", nats_server.url)
    monkeypatch.setenv("SWARM_HOME", str(tmp_path / "home"))
    return nats_server


def test_script_says_what_it_does(bus: NatsServer) -> None:
    """Spans of the calling thread are the ones that its events belong to."""
    with ns.blocking.connect() as swarm:
        with swarm.agent("script", role="operator", run_id="r1") as agent:
            with agent.span("deploy") as span:
                decision = agent.decide(rationale="now", confidence=1.0)
                change = agent.change_file("f", before=None, after=b"x\n", caused_by=[decision])
            agent.change_value("ENV_VAR", "A", before=None, after=1)
            agent.signal("HEALTHY")
        found = list(swarm.replay())
        assert swarm.content(found[2].event.state_change.new_state_hash) == b"x\n"
    assert [one.sequence for one in found] == [1, 2, 3, 4, 5, 6]
    assert (decision.sequence, change.sequence) == (2, 3)
    context = span.get_span_context()
    assert found[1].event.trace_id == found[2].event.trace_id == f"{context.trace_id:032x}"
    assert list(found[2].event.caused_by) == [decision.event_id]
    assert found[5].event.system_signal.final_count == 6


def test_error_in_the_block_is_told_and_goes_on(bus: NatsServer) -> None:
    """The agent says CRITICAL_FAILURE and STOPPED; the caller gets the error itself."""
    with ns.blocking.connect() as swarm:
        with pytest.raises(LookupError, match="gone"), swarm.agent("a", role="coder"):
            raise LookupError("gone")
        statuses = [one.event.system_signal.status for one in swarm.replay()]
    assert statuses == ["STARTING", "CRITICAL_FAILURE", "STOPPED"]


def test_errors_of_calls_arrive_in_the_calling_thread(bus: NatsServer) -> None:
    """What is asked for with wait=True is raised where the call is."""
    with ns.blocking.connect() as swarm, swarm.agent("a", role="coder") as agent:
        with pytest.raises(InvalidEventError):
            agent.decide(rationale="x", confidence=7, wait=True)
        assert agent.decide(rationale="x", wait=True).sequence == 2


def test_connecting_to_nothing_raises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Entering that fails ends the loop's thread and raises."""
    monkeypatch.setenv("SWARM_HOME", str(tmp_path / "none"))
    with pytest.raises(ConfigError), ns.blocking.connect():
        pass


def test_subscription_can_be_left(bus: NatsServer) -> None:
    """An iterator that is closed leaves nothing running."""
    with ns.blocking.connect() as swarm, swarm.agent("a", role="coder"):
        events = swarm.subscribe(start=1)
        assert next(events).event.system_signal.status == "STARTING"
        events.close()


async def test_blocking_calls_work_beside_a_running_loop(bus: NatsServer) -> None:
    """A script's helper may be called from a thread of an asynchronous program."""

    def script() -> int | None:
        with ns.blocking.connect() as swarm, swarm.agent("a", role="coder") as agent:
            return agent.decide(rationale="x", wait=True).sequence

    assert await asyncio.to_thread(script) == 2


def test_interrupt_in_the_block_leaves_the_loop_running_for_the_farewell(bus: NatsServer) -> None:
    """Ctrl-C is no failure of the agent; it still says that it stops."""
    with ns.blocking.connect() as swarm:
        with pytest.raises(KeyboardInterrupt), swarm.agent("a", role="coder"):
            raise KeyboardInterrupt
        statuses = [one.event.system_signal.status for one in swarm.replay()]
    assert statuses == ["STARTING", "STOPPED"]
