import asyncio

from nervous_system.comms.turns import Turns


async def settle() -> None:
    """Let every task that can run do so."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_calls_of_a_lane_go_in_the_order_in_which_they_came() -> None:
    turns, order = Turns(), []

    async def call(number: int) -> None:
        await turns.take("lane")
        order.append(number)
        await asyncio.sleep(0)
        turns.give("lane")

    async with asyncio.TaskGroup() as group:
        for number in range(5):
            group.create_task(call(number))
    assert order == [0, 1, 2, 3, 4]
    assert not turns.is_taken("lane")


async def test_other_lanes_do_not_wait() -> None:
    turns = Turns()
    await turns.take("busy")
    await turns.take("free")
    assert turns.is_taken("busy")
    assert turns.is_taken("free")


async def test_cancelled_call_passes_its_turn_on() -> None:
    turns = Turns()
    await turns.take("lane")
    leaving = asyncio.create_task(turns.take("lane"))
    staying = asyncio.create_task(turns.take("lane"))
    await settle()
    turns.give("lane")
    leaving.cancel()  # its turn came in the same moment
    await settle()
    assert leaving.cancelled()
    assert staying.done()


async def test_empty_lane_keeps_no_order() -> None:
    turns = Turns()
    await turns.take("")
    await turns.take("")
    turns.give("")
    assert not turns.is_taken("")
