"""Steps that agents share, on a real bus."""

import asyncio

import pytest

from cortex.coordination.clock import now_ms
from cortex.coordination.errors import (
    LeaseLostError,
    StepEndedError,
    StepHeldError,
    StepNotHeldError,
    WaitEndedError,
)
from cortex.coordination.project import Project
from cortex.coordination.steps_rules import Step, StepState
from cortex.coordination.tokens import HomeTokens
from nervous_system import events
from nervous_system.comms.connection import open_nats
from tests.support.eventually import eventually
from tests.support.sharing import Team


async def test_of_many_who_claim_at_once_one_wins(team: Team) -> None:
    """And the others read who."""
    agents = [await team.join(f"a{number}") for number in range(8)]
    for step in ("s1", "s2", "s3"):
        results = await asyncio.gather(
            *(agent.claim(step) for agent in agents), return_exceptions=True
        )
        losers = [one for one in results if isinstance(one, StepHeldError)]
        (winner,) = [one for one in results if not isinstance(one, BaseException)]
        assert len(losers) == len(agents) - 1
        assert {one.holder for one in losers} == {winner.agent}


async def test_of_one_agent_twice_at_once_one_wins(team: Team) -> None:
    """Two processes of one name are two: the token tells them apart."""
    one, other = await team.join("a"), await team.join("a")
    results = await asyncio.gather(one.claim("s"), other.claim("s"), return_exceptions=True)
    assert sorted(isinstance(result, StepHeldError) for result in results) == [False, True]


async def test_an_expired_claim_can_be_taken_and_its_holder_cannot_complete(team: Team) -> None:
    slow, quick = await team.join("slow"), await team.join("quick")
    await slow.claim("s", lease=0.2)
    slow.leases.renew_due = _never  # type: ignore[method-assign] # it hangs
    taken = await eventually(lambda: _claimed(quick, "s"))
    assert taken is not None
    with pytest.raises(StepHeldError):
        await slow.complete("s")
    with pytest.raises(LeaseLostError):
        await quick.complete("s", token=taken.token - 1)
    assert (await quick.complete("s")).written is StepState.COMPLETE


async def test_a_claim_whose_lease_ran_out_cannot_complete_though_nobody_took_it(
    team: Team,
) -> None:
    agent = await team.join("a")
    await agent.claim("s", lease=0.05)
    agent.leases.renew_due = _never  # type: ignore[method-assign] # it hangs
    await eventually(lambda: _is_pending(agent, "s"))
    with pytest.raises(LeaseLostError, match="ran out"):
        await agent.complete("s")


async def test_taking_part_keeps_a_claim_for_longer_than_its_lease(team: Team) -> None:
    agent, rival = await team.join("a"), await team.join("b")
    first = await agent.claim("s", lease=0.3)
    await eventually(lambda: _was_renewed_past(agent, first.expires_at_ms + 300))
    with pytest.raises(StepHeldError):
        await rival.claim("s")


async def test_what_is_complete_cannot_be_claimed_nor_ended_again(team: Team) -> None:
    agent = await team.join("a")
    await agent.claim("s")
    await agent.complete("s", note="done", to="b")
    for again in (agent.claim("s"), agent.complete("s"), agent.release("s")):
        with pytest.raises(StepEndedError):
            await again


async def test_only_the_holder_may_end_a_step_unless_it_insists(team: Team) -> None:
    holder, other = await team.join("a"), await team.join("b")
    with pytest.raises(StepNotHeldError):
        await other.complete("s")
    await holder.claim("s")
    with pytest.raises(StepHeldError):
        await other.complete("s")
    ended = await other.complete("s", force=True, state=StepState.BLOCKED)
    assert (ended.written, ended.agent) == (StepState.BLOCKED, "b")
    with pytest.raises(StepNotHeldError):
        await holder.complete("s")


async def test_a_step_that_was_forced_complete_without_a_claim_stays_complete(team: Team) -> None:
    agent = await team.join("a")
    await agent.complete("s", force=True)
    with pytest.raises(StepEndedError):
        await agent.claim("s")


async def test_the_handoff_record_is_kept_with_the_end(team: Team) -> None:
    agent, reader = await team.join("a"), await team.join("b")
    await agent.claim("s")
    await agent.complete("s", note="n", to="b", next_action="test", changed_files=["x.py"])
    found = await reader.step_status("s")
    assert dict(found.document) == {
        "from_agent": "a",
        "from_step": "s",
        "next_agent": "b",
        "next_action": "test",
        "note": "n",
        "changed_files": ["x.py"],
    }


async def test_a_secret_in_a_note_is_taken_out(team: Team) -> None:
    agent = await team.join("a")
    await agent.claim("s")
    ended = await agent.complete("s", note="token ghp_" + "a1B2" * 9)
    assert "ghp_" not in str((await agent.step_status("s")).document)
    assert ended.document["note"] == "token [redacted:github_token]"


async def test_tokens_in_the_home_are_those_of_later_commands(team: Team) -> None:
    """A process that claims and one that completes need to share nothing else."""
    agent = await team.join("a")
    claimed = await agent.claim("s")
    stranger = await team.join("a")
    with pytest.raises(LeaseLostError, match=f"--token {claimed.token}"):
        await stranger.complete("s")
    assert (await stranger.complete("s", token=claimed.token)).written is StepState.COMPLETE


async def test_a_crash_between_claim_and_token_leaves_a_step_that_can_be_taken_up(
    team: Team,
) -> None:
    """The bus has the claim, the home does not: the token says whose it is."""
    agent = await team.join("a")
    claimed = await agent.claim("s")
    tokens = HomeTokens(team.config("a").home, "web", "a")
    assert tokens.get("s") is None
    again = await (await team.join("a")).claim("s", token=claimed.token)
    assert (again.token, again.written) == (claimed.token, StepState.IN_PROGRESS)


async def test_waiting_ends_when_the_last_of_several_is_complete(team: Team) -> None:
    agent, waiter = await team.join("a"), await team.join("b")
    await agent.complete("s1", force=True)
    waiting = asyncio.create_task(waiter.wait_for("s1", "S2", "s3", timeout=10))
    for step in ("s3", "s2"):
        await agent.claim(step)
        assert not waiting.done()
        await agent.complete(step)
    assert [one.step for one in await waiting] == ["s1", "s2", "s3"]


async def test_waiting_ends_at_once_when_a_step_is_blocked(team: Team) -> None:
    agent, waiter = await team.join("a"), await team.join("b")
    waiting = asyncio.create_task(waiter.wait_for("s1", "s2", timeout=60))
    await asyncio.sleep(0)
    await agent.complete("s2", force=True, state=StepState.BLOCKED)
    with pytest.raises(WaitEndedError) as caught:
        await waiting
    assert caught.value.blocked == ("s2",)


async def test_waiting_in_vain_names_what_is_missing(team: Team) -> None:
    agent = await team.join("a")
    await agent.complete("s1", force=True)
    with pytest.raises(WaitEndedError, match="s2") as caught:
        await agent.wait_for("s1", "s2", timeout=0.1)
    assert caught.value.missing == ("s2",)


async def test_waiting_goes_on_across_a_restart_of_the_bus(team: Team) -> None:
    agent, waiter = await team.join("a"), await team.join("b")
    waiting = asyncio.create_task(waiter.wait_for("s", timeout=30))
    await agent.claim("s")
    team.server.kill()
    team.server.start()
    await agent.complete("s")
    assert [one.step for one in await waiting] == ["s"]


async def test_a_claim_under_way_while_the_bus_restarts_is_won_once(team: Team) -> None:
    agents = [await team.join(f"a{number}") for number in range(4)]
    team.server.kill()
    claims = [asyncio.create_task(agent.claim("s")) for agent in agents]
    await asyncio.sleep(0)
    team.server.start()
    results = await asyncio.gather(*claims, return_exceptions=True)
    assert sum(isinstance(one, StepHeldError) for one in results) == len(agents) - 1


async def test_what_is_no_transition_does_not_count(team: Team) -> None:
    """Somebody writes nonsense about a step, or claims it for another: neither is a claim."""
    agent = await team.join("a")
    claimed = await agent.claim("s")
    forged = events.build(
        events.step_transition(
            "s", state="in_progress", trigger="claim", holder="a", expires_at_ms=2**52
        )
    )
    async with open_nats(team.server.url, name="rogue") as client:
        for raw in (b"\xff nonsense", events.encode(forged)):
            await client.jetstream().publish("swarm.coordination.step.web.s.rogue", raw)
    found = await agent.step_status("s")
    assert (found.agent, found.token) == ("a", claimed.token)
    assert (await agent.complete("s")).written is StepState.COMPLETE


async def test_every_step_is_listed_once_as_it_is_now(team: Team) -> None:
    one, other = await team.join("a"), await team.join("b")
    await one.claim("s1")
    await one.release("s1")
    await other.claim("s1")
    await other.complete("s1")
    await one.claim("s2")
    found = {step.step: step for step in await one.steps()}
    assert {name: str(step.written) for name, step in found.items()} == {
        "s1": "complete",
        "s2": "in_progress",
    }


async def _never(leave_out: object = ()) -> dict[str, str]:
    return {}


async def _claimed(agent: Project, step: str) -> Step | None:
    try:
        return await agent.claim(step)
    except StepHeldError:
        return None


async def _is_pending(agent: Project, step: str) -> bool:
    return (await agent.step_status(step)).state(now_ms()) is StepState.PENDING


async def _was_renewed_past(agent: Project, moment_ms: int) -> bool:
    return (await agent.step_status("s")).expires_at_ms > moment_ms
