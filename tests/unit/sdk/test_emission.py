"""Emission against publishers that answer as the port allows."""

import asyncio
from pathlib import Path

import pytest

from nervous_system import events
from nervous_system.chains import EmitterChain
from nervous_system.comms.contracts import Outgoing, Receipt, Wait
from nervous_system.config import SpoolConfig
from nervous_system.draft import Envelope
from nervous_system.emission import MAX_DEBTS, Emission, LostReceipt
from nervous_system.errors import (
    BusClosedError,
    BusError,
    PublishRejectedError,
    PublishTimeoutError,
    SpoolFullError,
)
from nervous_system.identity import AgentIdentity
from nervous_system.schemas import AgentRole

IDENTITY = AgentIdentity(
    agent_id="a",
    role=AgentRole.ROLE_CODER,
    name="a",
    run_id="r",
    workspace_id="r",
    emitter_id="01939f2c-0000-7000-8000-000000000001",
)
SPOOL = SpoolConfig(directory=Path("spool"))
FULL = SpoolFullError(path="spool", limit_bytes=1)
REJECTED = PublishRejectedError(subject="s", event_id="x", code=10054, description="no")
TIMEOUT = PublishTimeoutError(subject="s", event_id="x", timeout=1)


class ScriptedPublisher:
    """A publisher on the port's contract that answers each call with the next of given answers."""

    def __init__(self, *answers: BusError | str) -> None:
        self.answers = list(answers)
        self.taken: list[Outgoing] = []
        self.waits: list[Wait] = []

    async def submit(self, outgoing: Outgoing, wait: Wait, timeout: float) -> Receipt:
        answer = self.answers.pop(0) if self.answers else "kept"
        self.waits.append(wait)
        if isinstance(answer, BusError):
            raise answer
        if answer == "kept":
            self.taken.append(outgoing)
        return Receipt(event_id=outgoing.event_id, spooled=answer == "kept")


def emission(publisher: ScriptedPublisher, *, spool: SpoolConfig | None = SPOOL) -> Emission:
    return Emission(
        IDENTITY, publisher, max_payload_bytes=10_000, redaction_key=lambda: b"k", spool=spool
    )


async def send(sender: Emission, wait: bool | None = None, text: str = "x") -> Receipt:
    draft = Envelope(IDENTITY).draft(
        "decision",
        events.decision(rationale=text),
        event_id=events.new_event_id(),
        time_ns=1_700_000_000_000_000_000,
    )
    return await sender.send(draft, "", wait, 1.0)


def numbers(publisher: ScriptedPublisher) -> list[int]:
    """Return the numbers that were taken; their chain must hold."""
    chain = EmitterChain(IDENTITY.emitter_id)
    for one in sorted(publisher.taken, key=lambda taken: taken.emitter_seq):
        chain.follow(one.payload)
    return [one.emitter_seq for one in publisher.taken]


@pytest.mark.parametrize("answer", [FULL, BusClosedError(operation="publish"), "dropped"])
async def test_event_that_found_no_room_gives_its_number_back(answer: BusError | str) -> None:
    publisher = ScriptedPublisher("kept", answer, "kept")
    sender = emission(publisher)
    await send(sender)
    lost = await send(sender)
    await send(sender)
    assert isinstance(lost, LostReceipt)
    assert lost.reason
    assert (numbers(publisher), sender.lost_count) == ([1, 2], 1)


@pytest.mark.parametrize("error", [FULL, REJECTED, TIMEOUT])
async def test_waiting_caller_gets_the_error(error: BusError) -> None:
    with pytest.raises(type(error)):
        await send(emission(ScriptedPublisher(error)), wait=True)


async def test_refused_event_keeps_its_number_for_the_publishers_tombstone() -> None:
    publisher = ScriptedPublisher(REJECTED)
    sender = emission(publisher)
    assert isinstance(await send(sender), LostReceipt)
    await send(sender)
    assert [one.emitter_seq for one in publisher.taken] == [2]


async def test_event_that_found_no_room_after_others_is_owed_a_tombstone() -> None:
    publisher = ScriptedPublisher()
    sender = emission(publisher)

    class Overtaking(ScriptedPublisher):
        async def submit(self, outgoing: Outgoing, wait: Wait, timeout: float) -> Receipt:
            if outgoing.emitter_seq == 1 and not publisher.taken:
                sender._publisher = publisher
                await send(sender)  # the next event is numbered while this one waits for room
                raise FULL
            return await publisher.submit(outgoing, wait, timeout)

    sender._publisher = Overtaking()
    await send(sender)
    await sender.settle_debts()
    assert sorted(numbers(publisher)) == [1, 2]
    stone = events.decode(publisher.taken[-1].payload)
    assert (events.kind_of(stone), stone.emitter_seq) == ("tombstone", 1)


async def test_debts_stay_while_there_is_no_room() -> None:
    publisher = ScriptedPublisher(FULL)
    sender = emission(publisher)
    stone = Outgoing(subject="s", payload=b"", event_id="x")
    sender._owe(stone)
    await sender.settle_debts()
    assert list(sender._owed) == [stone]
    await sender.settle_debts()
    assert (list(sender._owed), publisher.taken) == ([], [stone])


@pytest.mark.parametrize("has_it", [True, False])
async def test_cancelled_caller_leaves_no_gap(has_it: bool) -> None:
    publisher = ScriptedPublisher()
    sender = emission(publisher)
    entered = asyncio.Event()

    class Hanging(ScriptedPublisher):
        async def submit(self, outgoing: Outgoing, wait: Wait, timeout: float) -> Receipt:
            if has_it:
                publisher.taken.append(outgoing)
            entered.set()
            await asyncio.Event().wait()
            return Receipt(event_id="")

    sender._publisher = Hanging()
    task = asyncio.create_task(send(sender))
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    sender._publisher = publisher
    await send(sender)
    taken = {one.event_id: one.emitter_seq for one in publisher.taken}
    assert list(taken.values()) == [1, 2]


async def test_debts_have_a_bound() -> None:
    sender = emission(ScriptedPublisher())
    for _ in range(MAX_DEBTS + 1):
        sender._owe(Outgoing(subject="s", payload=b"", event_id="x"))
    assert len(sender._owed) == MAX_DEBTS


async def test_event_too_large_is_neither_numbered_nor_sent() -> None:
    publisher = ScriptedPublisher()
    sender = emission(publisher)
    assert isinstance(await send(sender, text="x" * 20_000), LostReceipt)
    assert (sender.emitter.count, publisher.waits) == (0, [])


async def test_each_way_to_wait_reaches_the_publisher() -> None:
    publisher = ScriptedPublisher()
    sender = emission(publisher)
    for wait in (None, True, False):
        await send(sender, wait)
    assert publisher.waits == [Wait.ACK_OR_SPOOL, Wait.ACK, Wait.HANDOVER]


async def test_without_a_spool_every_call_waits_for_the_ack() -> None:
    publisher = ScriptedPublisher(TIMEOUT)
    sender = emission(publisher, spool=None)
    lost = await send(sender, wait=False)
    assert isinstance(lost, LostReceipt)
    assert "outcome unknown" in lost.reason
    assert (publisher.waits, sender.emitter.count) == ([Wait.ACK], 1)


async def test_event_is_redacted_after_it_is_numbered_and_linked_by_what_is_sent() -> None:
    publisher = ScriptedPublisher()
    sender = emission(publisher)
    await send(sender, text="password=hunter2222")
    await send(sender)
    event = events.decode(publisher.taken[0].payload)
    assert (dict(event.redactions), event.emitter_seq) == ({"assigned_secret": 1}, 1)
    assert "hunter" not in event.decision.rationale
    assert numbers(publisher) == [1, 2]


async def test_text_that_only_looks_suspect_is_sent_as_it_is() -> None:
    publisher = ScriptedPublisher()
    await send(emission(publisher), text="password=$PASSWORD")
    event = events.decode(publisher.taken[0].payload)
    assert (event.decision.rationale, event.original_digest) == ("password=$PASSWORD", b"")
