"""`swarm verify` on a real stack: prove, name, repair, sign."""

import asyncio
from collections.abc import Iterator

import pytest

import nervous_system as ns
from infrastructure.history.client import open_history
from infrastructure.history.config import HistoryConfig
from tests.support.stacks import Stack, running_stack

EVENTS = 6
"""STARTING, three decisions, one change, STOPPED."""


@pytest.fixture
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack with the whole life of one agent in its history."""
    with running_stack(tmp_path_factory.mktemp("verify") / "home") as running:
        asyncio.run(work(running))
        yield running


async def work(stack: Stack) -> None:
    async with (
        ns.connect(home=stack.root) as swarm,
        swarm.agent("coder-1", role="coder", run_id="r1") as agent,
    ):
        for number in range(3):
            await agent.decide(rationale=f"step {number}", confidence=0.5)
        await agent.change_file("src/auth.py", before=b"old\n", after=b"new\n")


def alter(stack: Stack, statement: str) -> None:
    with open_history(HistoryConfig(dsn=stack.record["writer_dsn"])) as history:
        history.command(statement, settings={"mutations_sync": "1"})


@pytest.mark.timeout(120)
def test_a_whole_life_is_proven_damage_is_named_and_repaired(stack: Stack) -> None:
    """One stack for the whole way, since starting one takes longest."""
    sound = stack.json("verify")
    assert (sound["ok"], sound["checked"], sound["unproven"]) == (True, EVENTS, [])
    assert stack.json("verify", "--expect", sound["head"])["ok"]

    alter(stack, "alter table swarm.events update new_state_hash = 'x' where kind = 'state_change'")
    found = stack.json("verify", expected=1)
    (problem,) = found["problems"]
    assert found["ok"] is False
    assert (problem["kind"], problem["column"]) == ("column_changed", "new_state_hash")
    assert problem["resource"] == "src/auth.py"
    assert problem["event_id"] in stack.swarm("verify", expected=1).stdout

    repaired = stack.json("verify", "--repair")
    assert repaired["ok"]
    assert repaired["repaired"]
    assert repaired["head"] == sound["head"]


@pytest.mark.timeout(120)
def test_a_cut_tail_is_no_lag_and_is_repaired(stack: Stack) -> None:
    """The rest of a batch is gone: no ingestor can go on from there, and none would come back."""
    head = stack.json("verify")["head"]
    alter(stack, f"alter table swarm.events delete where stream_seq >= {EVENTS - 1}")
    kinds = {problem["kind"] for problem in stack.json("verify", expected=1)["problems"]}
    assert "tail_cut" in kinds
    assert stack.json("verify", "--repair", "--timeout", "1")["head"] == head


@pytest.mark.timeout(120)
def test_heads_are_signed_with_the_key_of_the_home(stack: Stack) -> None:
    signed = stack.json("verify", "--sign")
    assert signed["signatures"][signed["head"]]
    checked = stack.json("verify", "--public-key", signed["public_key"])
    assert checked["ok"]
    other = "A" * 43 + "="
    assert stack.json("verify", "--public-key", other, expected=1)["problems"]


def test_wrong_heads_keys_and_ranges_are_wrong_usage(stack: Stack) -> None:
    stack.swarm("verify", "--expect", "nonsense", expected=2)
    stack.swarm("verify", "--public-key", "nonsense", expected=2)
    stack.swarm("verify", "--repair", "--from", "3", expected=2)
