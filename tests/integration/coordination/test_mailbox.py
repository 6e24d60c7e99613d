"""Messages between agents, on a real bus."""

import asyncio
from contextlib import aclosing

import pytest

from cortex.coordination.errors import (
    MessageMissingError,
    UnknownRecipientError,
    ValueRefusedError,
)
from cortex.coordination.project import Project
from nervous_system.comms.connection import open_nats
from nervous_system.comms.streams import COORDINATION_STREAM, EVENTS_STREAM
from nervous_system.payloads import BROADCAST
from tests.support.sharing import Team

QUICK = 30


def texts(shown: list) -> list[str]:  # type: ignore[type-arg] # of Shown
    return [one.message.text for one in shown]


async def test_many_quick_messages_all_arrive_in_order(team: Team) -> None:
    one, other = await team.join("a"), await team.join("b")
    await asyncio.gather(*(one.send("b", f"{number}") for number in range(QUICK)))
    for number in range(QUICK):
        await one.send("b", f"then {number}")
    found = texts(await other.inbox(new=True))
    assert found[:QUICK] == [str(number) for number in range(QUICK)]
    assert found[QUICK:] == [f"then {number}" for number in range(QUICK)]


async def test_messages_of_two_processes_of_one_agent_all_arrive(team: Team) -> None:
    one, twin, other = await team.join("a"), await team.join("a"), await team.join("b")
    sends = [agent.send("b", f"{number}") for number in range(5) for agent in (one, twin)]
    await asyncio.gather(*sends)
    assert len(await other.inbox(new=True)) == len(sends)


async def test_signs_of_life_are_not_kept_for_ever(team: Team) -> None:
    one = await team.join("a")
    for _ in range(3):
        await one.roster.announce("waits")
    async with open_nats(team.server.url, name="test") as client:
        kept = await client.jetstream().stream_info(COORDINATION_STREAM)
    assert kept.state.messages == 0
    assert [one.doing for one in await one.agents()] == ["waits"]


async def test_who_has_read_its_mail_is_known_although_nobody_has_seen_it_for_long(
    team: Team,
) -> None:
    one, other = await team.join("a"), await team.join("b")
    await one.send("b", "first")
    await other.inbox(new=True)
    async with open_nats(team.server.url, name="test") as client:
        await client.jetstream().purge_stream(EVENTS_STREAM)
    await (await team.join("c")).send("b", "second")
    assert texts(await other.inbox(new=True)) == ["second"]


async def test_a_message_is_new_once_and_stays_in_the_inbox(team: Team) -> None:
    one, other = await team.join("a"), await team.join("b")
    await one.send("b", "hello", step="Build.One")
    (shown,) = await other.inbox()
    assert (shown.is_new, shown.message.sender, shown.message.step) == (True, "a", "build-one")
    assert await other.inbox(new=True) == []
    (again,) = await other.inbox()
    assert (again.is_new, again.message) == (False, shown.message)


async def test_of_two_processes_of_one_reader_one_is_shown_each_message(team: Team) -> None:
    sender, one, other = await team.join("a"), await team.join("b"), await team.join("b")
    seen: list[str] = []
    for number in range(10):
        await sender.send("b", f"{number}")
        for found in await asyncio.gather(one.inbox(new=True), other.inbox(new=True)):
            seen += texts(found)
    assert sorted(seen, key=int) == [str(number) for number in range(10)]


async def test_a_broadcast_reaches_everybody_but_its_sender(team: Team) -> None:
    one, other, third = await team.join("a"), await team.join("b"), await team.join("c")
    await one.send(BROADCAST, "all of you")
    assert await one.inbox() == []
    assert texts(await other.inbox()) == texts(await third.inbox()) == ["all of you"]


async def test_removing_a_broadcast_removes_it_from_one_mailbox(team: Team) -> None:
    one, other, third = await team.join("a"), await team.join("b"), await team.join("c")
    await one.send(BROADCAST, "all of you")
    await one.send("b", "you")
    (broadcast, _) = await other.inbox()
    assert await other.mailbox.remove(broadcast.message.message_id[:30]) == 1
    assert texts(await other.inbox()) == ["you"]
    assert texts(await third.inbox()) == ["all of you"]


async def test_removing_through_a_message_leaves_what_came_since(team: Team) -> None:
    one, other = await team.join("a"), await team.join("b")
    await one.send("b", "first")
    (shown,) = await other.inbox()
    await one.send("b", "second")
    assert await other.mailbox.remove_through(shown.message.sequence) == 1
    assert texts(await other.inbox(new=True)) == ["second"]


async def test_a_message_to_nobody_is_refused_and_can_be_held(team: Team) -> None:
    one = await team.join("a")
    with pytest.raises(UnknownRecipientError, match="--hold"):
        await one.send("later", "hello")
    await one.send("later", "hello", hold=True)
    assert texts(await (await team.join("later")).inbox()) == ["hello"]


async def test_following_shows_what_was_new_and_what_comes(team: Team) -> None:
    one, other = await team.join("a"), await team.join("b")
    await one.send("b", "0")
    async with aclosing(other.mailbox.follow()) as messages:
        seen = [(await anext(messages)).message.text]
        for number in (1, 2, 3):
            await one.send("b", f"{number}")
            seen.append((await anext(messages)).message.text)
    assert seen == ["0", "1", "2", "3"]
    assert await other.inbox(new=True) == []


async def test_following_goes_on_across_a_restart_of_the_bus(team: Team) -> None:
    one, other = await team.join("a"), await team.join("b")
    async with aclosing(other.mailbox.follow()) as messages:
        await one.send("b", "before")
        assert (await anext(messages)).message.text == "before"
        team.server.kill()
        team.server.start()
        await one.send("b", "after")
        assert (await anext(messages)).message.text == "after"


async def test_what_an_agent_has_read_leads_to_what_it_does_next(team: Team) -> None:
    """caused_by names the message, until another one is read."""
    one, other = await team.join("a"), await team.join("b")
    sent = await one.send("b", "please build")
    await other.inbox(new=True)
    claimed = await other.claim("build")
    answer = await other.send("a", "on it", because=[claimed.event_id])
    assert await causes_of(other, "step.web.build") == [sent.message_id]
    assert await causes_of(other, "message.web.a") == [claimed.event_id, sent.message_id]
    await one.inbox()
    set_by = await one.memory.set("built", True)
    assert await causes_of(one, "memory.web.built") == [answer.message_id]
    assert set_by.revision


async def test_secrets_in_a_message_are_taken_out_and_counted(team: Team) -> None:
    one, other = await team.join("a"), await team.join("b")
    sent = await one.send("b", "use password=hunter2hunter2 for it")
    assert sent.redacted == 1
    assert "hunter2" not in texts(await other.inbox())[0]


@pytest.mark.parametrize("text", ["", " \n", "x" * (1024 * 1024 + 1)])
async def test_a_text_that_says_nothing_or_too_much_is_refused(team: Team, text: str) -> None:
    one = await team.join("a")
    with pytest.raises(ValueRefusedError):
        await one.send("a", text)


async def test_an_id_that_is_not_in_the_mailbox_is_refused(team: Team) -> None:
    one = await team.join("a")
    await one.send("a", "to myself")
    with pytest.raises(MessageMissingError, match="no message"):
        await one.mailbox.remove("ffff")


async def causes_of(project: Project, place: str) -> list[str]:
    found = await project._log.newest(f"swarm.coordination.{place}.*")
    assert found is not None
    assert found.event is not None
    return list(found.event.caused_by)
