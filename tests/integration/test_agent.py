"""Agents on a real bus: what they say is in the stream, in order, whatever happens around them."""

import asyncio
import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import nats
import pytest

import nervous_system as ns
from nervous_system.chains import EmitterChain
from nervous_system.comms.contracts import StoredEvent
from nervous_system.comms.streams import declare_content_bucket, declare_streams, swarm_streams
from nervous_system.config import BusConfig, SpoolConfig, SpoolPolicy, SwarmConfig
from nervous_system.errors import BusError, ConfigError, InvalidEventError
from nervous_system.home import Home
from nervous_system.telemetry.linking import build_environment
from tests.support.eventually import eventually
from tests.support.servers import NatsServer

SECRET = "npm" + "_" + "a1B2" * 9


@pytest.fixture
async def bus(
    nats_server: NatsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> NatsServer:
    """A server with the swarm's streams, which the environment points to."""
    client = await nats.connect(nats_server.url)
    await declare_streams(client.jetstream(), swarm_streams(max_bytes=10**9))
    await declare_content_bucket(client.jetstream(), max_bytes=10**8)
    await client.close()
    monkeypatch.setenv("SWARM_NATS_URL", nats_server.url)
    monkeypatch.setenv("SWARM_HOME", str(tmp_path / "home"))
    return nats_server


def settings(bus: NatsServer, tmp_path: Path, policy: SpoolPolicy, max_bytes: int) -> SwarmConfig:
    spool = SpoolConfig(directory=tmp_path / "spool", max_bytes=max_bytes, policy=policy)
    config = BusConfig(
        url=bus.url,
        spool=spool,
        close_timeout=timedelta(milliseconds=200),
        publish_timeout=timedelta(milliseconds=300),
    )
    return SwarmConfig(home=Home(tmp_path / "home"), bus=config)


async def stored(swarm: ns.Swarm) -> list[StoredEvent]:
    return [one async for one in swarm.replay()]


def follow(found: list[StoredEvent]) -> EmitterChain:
    chain = EmitterChain(found[0].event.emitter_id)
    for one in found:
        chain.follow(one.delivery.raw, one.sequence)
    return chain


async def test_example_of_the_documentation_works_as_written(bus: NatsServer) -> None:
    """Decision, change and signals are stored, linked to each other and to their span."""
    async with ns.connect() as swarm:
        async with swarm.agent("coder-1", role="coder", run_id="r1") as agent:
            with agent.span("refactor auth"):
                decision = await agent.decide(
                    rationale="split adapter",
                    rejected_alternatives=["rewrite"],
                    confidence=0.9,
                    input_trigger="issue 12",
                    context_hash="...",
                    memory_ids=["m1"],
                )
                await agent.change_file(
                    "src/auth.py", before=b"old\n", after=b"new\n", caused_by=[decision.event_id]
                )
            await agent.signal("HEALTHY")
        found = await stored(swarm)
        change = found[2].event.state_change
        assert await swarm.content.get(change.new_state_hash) == b"new\n"
        assert await swarm.content.get(change.previous_state_hash) == b"old\n"
    kinds = [ns.events.kind_of(one.event) for one in found]
    assert kinds == ["system_signal", "decision", "state_change", "system_signal", "system_signal"]
    assert follow(found).head.is_closed
    assert decision.sequence == found[1].sequence == 2
    assert list(found[2].event.caused_by) == [decision.event_id]
    assert found[1].event.trace_id == found[2].event.trace_id != ""
    assert found[1].delivery.headers["traceparent"].split("-")[2] == found[1].event.span_id
    assert found[3].event.trace_id == ""
    assert found[3].event.system_signal.memory_usage_mb > 0
    assert found[4].event.system_signal.final_count == 5
    assert {one.event.run_id for one in found} == {"r1"}


async def test_stack_of_the_nearest_home_is_found(
    bus: NatsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without SWARM_NATS_URL the home's running stack says where the bus is."""
    monkeypatch.delenv("SWARM_NATS_URL")
    monkeypatch.delenv("SWARM_HOME")
    home = tmp_path / ".swarm"
    home.mkdir()
    (home / "stack.json").write_text(json.dumps({"agent_nats_url": bus.url}), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    async with ns.connect() as swarm, swarm.agent("a", role="reviewer") as agent:
        receipt = await agent.decide(rationale="x", wait=True)
    assert receipt.sequence == 2


async def test_without_any_bus_connecting_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing to connect to is told at once, with the way out."""
    monkeypatch.setenv("SWARM_HOME", str(tmp_path / "none"))
    with pytest.raises(ConfigError, match="swarm up"):
        async with ns.connect():
            pass


async def test_agent_that_fails_says_so_before_it_stops(bus: NatsServer) -> None:
    """The error that ends an agent is the last but one thing it says."""
    async with ns.connect() as swarm:
        with pytest.raises(LookupError):
            async with swarm.agent("a", role="coder"):
                raise LookupError("no such file")
        signals = [one.event.system_signal for one in await stored(swarm)]
    assert [one.status for one in signals] == ["STARTING", "CRITICAL_FAILURE", "STOPPED"]
    assert signals[1].detail == "LookupError: no such file"


async def test_cancelled_agent_still_says_that_it_stops(bus: NatsServer) -> None:
    """Cancelling is no failure, and the final count is told all the same."""
    async with ns.connect() as swarm:
        entered = asyncio.Event()

        async def work() -> None:
            async with swarm.agent("a", role="coder"):
                entered.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(work())
        await entered.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert follow(await stored(swarm)).head.is_closed


async def test_secret_never_reaches_the_bus(bus: NatsServer) -> None:
    """The secret is gone, counted, and the original can be recognised but not read."""
    async with ns.connect() as swarm:
        async with swarm.agent("a", role="coder") as agent:
            await agent.decide(rationale=f"use {SECRET}", attributes={"password": "hunter2"})
        event = (await stored(swarm))[1].event
    assert event.decision.rationale == "use [redacted:npm_token]"
    assert event.attributes["password"] == "[redacted:named_value]"
    assert dict(event.redactions) == {"npm_token": 1, "named_value": 1}
    assert len(event.original_digest) == 32


async def test_a_tool_call_is_cleaned_of_secrets_too(bus: NatsServer) -> None:
    call = ns.events.tool_call("run", arguments={"env": SECRET}, result=f"token={SECRET}")
    async with ns.connect() as swarm, swarm.agent("coder-1", role="coder") as agent:
        await agent.emit(call, wait=True)
        event = (await stored(swarm))[1].event
    assert event.tool_call.tool_arguments == '{"env":"[redacted:npm_token]"}'
    assert event.tool_call.tool_result == "token=[redacted:npm_token]"
    assert (dict(event.redactions), len(event.original_digest)) == ({"npm_token": 2}, 32)


async def test_names_that_are_not_utf8_values_and_renames_are_recorded(bus: NatsServer) -> None:
    """Each way a resource can change arrives as it was said."""
    async with ns.connect() as swarm:
        async with swarm.agent("a", role="coder") as agent:
            await agent.change_file(b"src/\xff.py", before=None, after=b"\0", mode=0o600)
            await agent.change_file("b.py", before=b"x", after=b"x", renamed_from="a.py")
            await agent.change_file("b.py", before=b"x", after=None)
            await agent.change_value(
                "ENV_VAR", "STAGE", before=None, after="prod", workspace_id="db"
            )
        found = (await stored(swarm))[1:5]
        changes = [one.event.state_change for one in found]
    assert changes[0].resource_bytes == b"src/\xff.py"
    assert (changes[0].mode, changes[0].diff_patch) == (0o600, "")
    assert changes[1].renamed_from == "a.py"
    assert changes[2].new_state_hash == ""
    assert (changes[3].target_type, changes[3].diff_patch) == ("ENV_VAR", '"prod"')
    assert all(one.is_reversible for one in changes)
    assert [one.event.workspace_id for one in found] == [*[swarm.run_id] * 3, "db"]


async def test_event_too_large_for_the_bus_leaves_no_gap(bus: NatsServer) -> None:
    """Its size is checked before it is numbered, and the agent goes on."""
    text = "x" * (9 * 1024 * 1024)
    async with ns.connect() as swarm:
        async with swarm.agent("a", role="coder") as agent:
            receipt = await agent.decide(rationale=text)
            with pytest.raises(InvalidEventError, match="at most"):
                await agent.decide(rationale=text, wait=True)
            await agent.decide(rationale="short")
            assert agent.lost_count == 1
        assert follow(await stored(swarm)).head.count == 3
    assert isinstance(receipt, ns.LostReceipt)
    assert "at most" in receipt.reason


async def test_values_that_no_event_can_hold_do_not_stop_the_agent(bus: NatsServer) -> None:
    """Bad values from a model are told by the receipt; with wait=True they are raised."""
    async with ns.connect() as swarm:
        async with swarm.agent("a", role="coder") as agent:
            lost = await agent.decide(rationale="x", confidence=85)
            assert isinstance(lost, ns.LostReceipt)
            bad = {"n": 1}
            untold = await agent.decide(rationale="x", attributes=bad)  # type: ignore[arg-type]
            assert isinstance(untold, ns.LostReceipt)
            assert isinstance(await agent.decide(rationale="x", caused_by=["7"]), ns.LostReceipt)
            with pytest.raises(InvalidEventError):
                await agent.decide(rationale="x", confidence=85, wait=True)
            after = await agent.decide(rationale="goes on", caused_by=[lost])
        assert follow(await stored(swarm)).head.is_closed
    assert after.sequence == 2


async def test_unknown_role_is_refused_on_entering(bus: NatsServer) -> None:
    """Misuse is told where it happens, before anything is published."""
    async with ns.connect() as swarm:
        with pytest.raises(InvalidEventError, match="boss"):
            async with swarm.agent("a", role="boss"):
                pass


async def test_events_wait_on_disk_while_the_bus_is_away(bus: NatsServer, tmp_path: Path) -> None:
    """Default and handed-over events are spooled, wait=True raises, and all arrive in order."""
    config = settings(bus, tmp_path, SpoolPolicy.BLOCK, 10**7)
    async with ns.connect(config=config) as swarm:
        async with swarm.agent("a", role="coder") as agent:
            await agent.decide(rationale="before", wait=True)
            bus.stop()
            kept = await agent.decide(rationale="default")
            handed = await agent.decide(rationale="handed over", wait=False)
            with pytest.raises(BusError):
                await agent.decide(rationale="waited for", wait=True, timeout=0.1)
            changed = await agent.change_file("f", before=None, after=b"kept", wait=False)
            assert (kept.spooled, handed.spooled, changed.spooled) == (True, True, True)
            bus.start()
            after = await agent.decide(rationale="after", wait=True, timeout=20)
        found = await eventually(lambda: _all(swarm, 8))
        assert follow(found).head.is_closed
        digest = found[5].event.state_change.new_state_hash
        assert await eventually(lambda: _content(swarm, digest)) == b"kept"
    assert after.sequence == 7
    assert [one.event.decision.rationale for one in found[1:5]] == [
        *("before", "default", "handed over", "waited for")
    ]


async def _all(swarm: ns.Swarm, count: int) -> list[StoredEvent]:
    found = await stored(swarm)
    return found if len(found) >= count else []


async def _content(swarm: ns.Swarm, digest: str) -> bytes | None:
    try:
        return await swarm.content.get(digest)
    except BusError:
        return None


async def test_full_spool_that_refuses_takes_the_number_back(
    bus: NatsServer, tmp_path: Path
) -> None:
    """What found no room leaves no gap in what arrives later."""
    config = settings(bus, tmp_path, SpoolPolicy.REFUSE, 1024 * 1024)
    async with ns.connect(config=config) as swarm:
        async with swarm.agent("a", role="coder") as agent:
            bus.stop()
            text = "x" * 300_000
            receipts = [await agent.decide(rationale=text, wait=False) for _ in range(6)]
            lost = [one for one in receipts if isinstance(one, ns.LostReceipt)]
            assert 0 < len(lost) == agent.lost_count < 6
            count = agent.emitted_count
            bus.start()
            await agent.decide(rationale="after", wait=True, timeout=20)
        found = await eventually(lambda: _all(swarm, count + 2))
    assert follow(found).head.is_closed


async def test_subscriber_gets_what_comes_with_its_sequence(bus: NatsServer) -> None:
    """Live, from a sequence and from a time."""
    async with ns.connect() as swarm, swarm.agent("a", role="coder") as agent:
        first = await agent.decide(rationale="one", wait=True)
        live = swarm.subscribe(subject="swarm.events.coder.decision.>")
        coming = asyncio.ensure_future(anext(live))
        await eventually(lambda: _has_consumers(swarm))
        second = await agent.decide(rationale="two", wait=True)
        got = await coming
        assert (got.sequence, got.event.event_id) == (second.sequence, second.event_id)
        await live.aclose()
        again = [one async for one in swarm.replay(start=2, end=2)]
        assert [one.event.event_id for one in again] == [first.event_id]
        moment = got.delivery.stored_at - timedelta(microseconds=2)  # it is rounded
        since = [one async for one in swarm.replay(start=moment)]
        assert [one.sequence for one in since] == [second.sequence]


async def _has_consumers(swarm: ns.Swarm) -> bool:
    info = await swarm.bus.js.stream_info("ENCHANTED_SWARM")
    return bool(info.state.consumer_count)


async def test_parents_travel_with_the_work_across_tasks(bus: NatsServer) -> None:
    """A worker whose context variables know nothing goes on from what the work carries."""
    async with ns.connect() as swarm:
        queue: asyncio.Queue[dict[str, str]] = asyncio.Queue(maxsize=1)

        async def worker() -> None:
            async with swarm.agent("worker", role="coder") as agent:
                with agent.span("work", parent=await queue.get()):
                    await agent.decide(rationale="done")

        task = asyncio.create_task(worker())
        async with swarm.agent("boss", role="architect") as agent:
            with agent.span("plan"):
                plan = await agent.decide(rationale="do it")
                await queue.put(agent.carrier(caused_by=[plan]))
            await task
        decided = [one.event for one in await stored(swarm) if one.event.HasField("decision")]
    assert decided[0].trace_id == decided[1].trace_id != ""
    assert decided[0].span_id != decided[1].span_id
    assert list(decided[1].caused_by) == [plan.event_id]


CHILD = """
import asyncio
import nervous_system as ns

async def main():
    async with ns.connect() as swarm, swarm.agent() as agent:
        await agent.decide(rationale="child")

asyncio.run(main())
"""


async def test_parents_travel_with_the_work_into_a_process(bus: NatsServer) -> None:
    """A child process goes on from its environment, with nothing said in its code."""
    async with ns.connect(run_id="r7") as swarm:
        async with swarm.agent("boss", role="architect") as agent:
            with agent.span("plan"):
                plan = await agent.decide(rationale="do it")
                handed = build_environment(agent.carrier(caused_by=[plan]))
        await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-c", CHILD],
            env={**os.environ, **handed, "SWARM_AGENT": "child"},
            check=True,
        )
        decided = [one.event for one in await stored(swarm) if one.event.HasField("decision")]
    assert (decided[1].agent_id, decided[1].run_id) == ("child", "r7")
    assert decided[1].trace_id == decided[0].trace_id
    assert list(decided[1].caused_by) == [plan.event_id]


async def test_finished_event_is_published_as_it_is(bus: NatsServer) -> None:
    """Events of other programs pass unchanged."""
    event = ns.events.build(ns.events.decision(rationale="x"), role="coder", agent_id="B b")
    async with ns.connect() as swarm:
        receipt = await swarm.publish(event, wait=True)
        (found,) = await stored(swarm)
    assert found.event == event
    assert (receipt.sequence, found.delivery.subject) == (
        1,
        "swarm.events.coder.decision.%42%20b",
    )


async def test_agents_user_may_do_all_that_an_agent_does(
    nats_server_with_users: NatsServer, tmp_path: Path
) -> None:
    """Publish, store content, read back, with the permissions that ship."""
    operator = await nats.connect(nats_server_with_users.url_of("operator"))
    await declare_streams(operator.jetstream(), swarm_streams(max_bytes=10**9))
    await declare_content_bucket(operator.jetstream(), max_bytes=10**8)
    await operator.close()
    url = nats_server_with_users.url_of("agent")
    async with ns.connect(url, home=tmp_path / "home") as swarm:
        async with swarm.agent("Coder 1", role="coder") as agent:
            await agent.decide(rationale="x", wait=True)
            change = await agent.change_file("a", before=None, after=b"x", wait=True)
        found = await stored(swarm)
        assert await swarm.content.get(found[2].event.state_change.new_state_hash) == b"x"
        live = swarm.subscribe(start=change.sequence)
        assert (await anext(live)).event.event_id == change.event_id
        await live.aclose()
    assert follow(found).head.is_closed
