"""Lanes and groups: nothing lost, nothing doubled, order kept, however groups end."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from nervous_system.comms.grouping import MAX_SUSPECTS, Group, Lanes, is_batch_cheaper

LANES = ("", "a", "b", "c")


@dataclass(eq=False)
class Item:
    lane: str
    number: int
    size_bytes: int = 10
    is_suspect: bool = field(default=False)


class LanesMachine(RuleBasedStateMachine):
    """Adds events, takes groups, and ends groups in every way that there is."""

    def __init__(self) -> None:
        super().__init__()
        self.lanes: Lanes[Item] = Lanes()
        self.under_way: list[Group[Item]] = []
        self.aside: list[list[Item]] = []
        self.filling: list[Item] | None = None
        self.added = dict.fromkeys(LANES, 0)
        self.done: dict[str, list[int]] = {lane: [] for lane in LANES}

    @rule(lane=st.sampled_from(LANES), count=st.integers(1, 40))
    def add(self, lane: str, count: int) -> None:
        for _ in range(count):
            self.added[lane] += 1
            self.lanes.add(Item(lane, self.added[lane]))

    @precondition(lambda self: self.filling is None)
    @rule(max_count=st.integers(1, 50), min_batch=st.sampled_from((2, 20)))
    def take(self, max_count: int, min_batch: int) -> None:
        group = self.lanes.take(max_count, min_batch)
        if group is None:
            return
        assert 0 < len(group.members) <= max_count
        assert not group.is_batch or len(group.members) > 1
        busy = {one.lane for other in self.in_hands() for one in other if one.lane}
        taken = [one.lane for one in group.members if one.lane]
        assert not busy & set(taken)
        if group.is_batch:
            assert not any(one.is_suspect for one in group.members)
        else:
            assert len(set(taken)) == len(taken)
            assert sum(one.is_suspect for one in group.members) <= MAX_SUSPECTS
        self.under_way.append(group)

    @precondition(lambda self: self.filling is None)
    @rule()
    def open_batch(self) -> None:
        first = self.lanes.open_batch()
        if first is not None:
            self.filling = []
            self.fill([first])

    @precondition(lambda self: self.filling is not None)
    @rule(max_count=st.integers(1, 50))
    def fill_batch(self, max_count: int) -> None:
        more = self.lanes.fill_batch(max_count)
        assert len(more) <= max_count
        self.fill(more)

    @precondition(lambda self: self.filling is not None)
    @rule(max_count=st.integers(1, 50))
    def close_batch(self, max_count: int) -> None:
        last = self.lanes.close_batch(max_count)
        assert 0 < len(last) <= max_count  # something has to commit it
        self.fill(last)
        self.under_way.append(Group(self.filling or [], is_batch=True))
        self.filling = None

    @precondition(lambda self: self.filling is not None)
    @rule()
    def give_open_batch_up(self) -> None:
        assert self.lanes.close_batch(0) == []
        members, self.filling = self.filling or [], None
        self.settle_some(members, [])

    def fill(self, items: list[Item]) -> None:
        assert self.filling is not None
        others = (*(group.members for group in self.under_way), *self.aside)
        busy = {one.lane for other in others for one in other if one.lane}
        assert not busy & {one.lane for one in items}
        assert not any(one.is_suspect for one in items)
        self.filling += items

    @precondition(lambda self: self.filling is None)
    @rule()
    def set_suspects_aside(self) -> None:
        taken = self.lanes.take_suspects(lambda one: one.number % 2 == 0)
        assert all(one.is_suspect for one in taken)
        if taken:
            self.aside.append(taken)

    @precondition(lambda self: self.under_way)
    @rule(index=st.integers(0, 100))
    def store(self, index: int) -> None:
        members = self.under_way.pop(index % len(self.under_way)).members
        self.finish(members)

    @precondition(lambda self: self.under_way)
    @rule(index=st.integers(0, 100), stored=st.integers(0, 50))
    def lose(self, index: int, stored: int) -> None:
        """Some are known to be stored, the rest goes back; of one lane at most the first are."""
        members = self.under_way.pop(index % len(self.under_way)).members
        self.settle_some(members, members[:stored])

    @precondition(lambda self: self.aside)
    @rule(stored=st.integers(0, 50))
    def look_up(self, stored: int) -> None:
        members = self.aside.pop()
        for one in members[stored:]:
            one.is_suspect = False
        self.give_back(members, members[:stored])

    def settle_some(self, members: list[Item], stored: list[Item]) -> None:
        for one in members[len(stored) :]:
            one.is_suspect = True
        self.give_back(members, stored)

    def give_back(self, members: list[Item], stored: list[Item]) -> None:
        self.note_done(stored)
        self.lanes.give_back(members[len(stored) :])
        self.lanes.release({one.lane for one in members})

    def finish(self, members: list[Item]) -> None:
        self.note_done(members)
        self.lanes.release({one.lane for one in members})

    def note_done(self, items: Iterable[Item]) -> None:
        for one in items:
            self.done[one.lane].append(one.number)

    def in_hands(self) -> list[list[Item]]:
        groups = (group.members for group in self.under_way)
        return [*groups, *self.aside, *([self.filling] if self.filling else [])]

    @invariant()
    def done_events_are_a_prefix_of_their_lane(self) -> None:
        for lane in LANES[1:]:
            assert self.done[lane] == list(range(1, len(self.done[lane]) + 1))

    @invariant()
    def nothing_is_lost_or_doubled(self) -> None:
        held = sum(len(members) for members in self.in_hands())
        done = sum(len(numbers) for numbers in self.done.values())
        assert self.lanes.waiting_count + held + done == sum(self.added.values())
        assert self.lanes.waiting_bytes == 10 * self.lanes.waiting_count
        assert len(set(self.done[""])) == len(self.done[""])

    def teardown(self) -> None:
        """All that waits can be taken out, and everything comes to its end."""
        if self.filling is not None:
            self.give_open_batch_up()
        while self.under_way:
            self.finish(self.under_way.pop().members)
        while self.aside:
            self.finish(self.aside.pop())
        while (group := self.lanes.take()) is not None:
            self.finish(group.members)
        for lane in LANES:
            assert sorted(self.done[lane]) == list(range(1, self.added[lane] + 1))
        assert self.lanes.waiting_count == 0


TestLanes = LanesMachine.TestCase


@given(lanes=st.lists(st.integers(0, 30), max_size=10), free=st.integers(0, 10))
def test_drained_lanes_give_everything_in_order(lanes: list[int], free: int) -> None:
    waiting: Lanes[Item] = Lanes()
    for number in range(1, 31):
        for lane, count in enumerate(lanes):
            if number <= count:
                waiting.add(Item(str(lane), number))
    for number in range(free):
        waiting.add(Item("", number))
    drained = waiting.drain()
    for lane, count in enumerate(lanes):
        numbers = [one.number for one in drained if one.lane == str(lane)]
        assert numbers == list(range(1, count + 1))
    assert sum(not one.lane for one in drained) == free
    assert waiting.take() is None


@given(count=st.integers(2, 1000), depth=st.integers(1, 1000))
def test_more_events_never_speak_against_a_batch(count: int, depth: int) -> None:
    depth = min(depth, count)
    if is_batch_cheaper(count, depth):
        assert is_batch_cheaper(count + 1, depth)
        assert is_batch_cheaper(count + 1, depth + 1)
    assert not is_batch_cheaper(1, 1)
