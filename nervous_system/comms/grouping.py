"""Which waiting events go to the bus together: pure, no clock, no I/O.

A lane is one emitter's queue. At most one group with events of a lane is under way at any time, so
that its order holds whatever happens to the group. Events without an emitter ask for no order;
each is a lane of its own.

How a group travels is a question of cost. Measured with an fsync before each ack: pipelined single
publishes take about 0.3 ms and 0.2 ms for each message, and events of one lane have to wait for
each other; an atomic batch takes 2.2 ms and 0.015 ms for each message. An event whose outcome is
unknown (`is_suspect`) never goes into a batch: the server would refuse the whole batch if it
already holds that id.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

MAX_BATCH_COUNT = 1_000
MAX_GROUP_BYTES = 4 * 1024 * 1024
MAX_SUSPECTS = 64
"""How many events of unknown outcome are sent again at once, each of another lane."""
MAX_IDLE_LANES = 4_096
"""Empty lanes that are kept, since their emitters will come again; above, they are dropped."""
SINGLES_FIXED_COST = 0.3
SINGLES_COST = 0.2
BATCH_FIXED_COST = 2.2
BATCH_COST = 0.015


class Waiting(Protocol):
    """What a lane holds."""

    lane: str
    """Emitter id; empty where no order is asked for."""
    size_bytes: int
    """What it takes on the wire, about."""
    is_suspect: bool
    """It was sent before and nobody knows whether it was stored."""


T = TypeVar("T", bound=Waiting)


class Lane(Generic[T]):
    """One emitter's queue."""

    __slots__ = ("is_open", "is_ready", "is_under_way", "key", "waiting")

    def __init__(self, key: str) -> None:
        self.key = key
        self.waiting: deque[T] = deque()
        self.is_under_way = False
        """A group with events of this lane waits for its outcome."""
        self.is_open = False
        """That group is still being filled: further events of this lane may join it."""
        self.is_ready = False
        """It stands in the queue of lanes that may send."""


@dataclass(frozen=True, slots=True)
class Group(Generic[T]):
    """Events that travel together."""

    members: list[T]
    is_batch: bool
    """One atomic batch; otherwise pipelined singles, at most one of each lane."""


class Lanes(Generic[T]):
    """All waiting events, by lane.

    `take` hands out a group and closes its lanes until `release`; `give_back` puts events back at
    the head of their lane. A batch may also be filled while it is sent: `open_batch`, `fill_batch`
    as often as it pays, `close_batch`; one at a time.
    """

    def __init__(self) -> None:
        self._lanes: dict[str, Lane[T]] = {}
        self._ready: deque[Lane[T]] = deque()
        self._suspect: deque[Lane[T]] = deque()
        self._open: list[Lane[T]] = []
        self._open_room = 0
        """Bytes that the batch which is being filled may still take."""
        self.waiting_count = 0
        self.waiting_bytes = 0

    def add(self, item: T) -> None:
        """Append an event to its lane."""
        self.waiting_count += 1
        self.waiting_bytes += item.size_bytes
        lane = self._lanes.get(item.lane) or self._lane(item.lane)
        lane.waiting.append(item)
        if not lane.is_ready and (lane.is_open or not lane.is_under_way):
            self._make_ready(lane)

    def give_back(self, items: list[T]) -> None:
        """Put events that a group could not place back where they came from, in their order.

        Their lanes stay closed until they are released.
        """
        for item in reversed(items):
            self.waiting_count += 1
            self.waiting_bytes += item.size_bytes
            lane = self._lane(item.lane)
            lane.waiting.appendleft(item)
            if not item.lane:
                self._make_ready(lane)

    def release(self, keys: Iterable[str]) -> None:
        """Open lanes again whose group is settled."""
        for key in keys:
            lane = self._lanes.get(key)
            if lane is None:
                continue
            lane.is_under_way = False
            if lane.waiting:
                self._make_ready(lane)
            elif not lane.is_ready and len(self._lanes) > MAX_IDLE_LANES:
                del self._lanes[key]

    def take(self, max_count: int = MAX_BATCH_COUNT, min_batch: int = 2) -> Group[T] | None:
        """Return the next group, or None where nothing may be sent now.

        Args:
            max_count: The most events in a group.
            min_batch: The fewest events that are worth an atomic batch now; singles always may go.
        """
        if self._suspect:
            return self._group(self._take(self._suspect, min(max_count, MAX_SUSPECTS), 1), False)
        if not self._ready:
            return None
        count, depth = self._shape(max_count)
        if not is_batch_cheaper(count, depth):
            return self._group(self._take(self._ready, max_count, 1), False)
        if count < min_batch:
            return None
        return self._group(self._take(self._ready, max_count, max_count), True)

    def open_batch(self) -> T | None:
        """Return the first of two or more events that may make a batch; None: there are not two."""
        if self._suspect:
            return None
        self._open_room = MAX_GROUP_BYTES
        first = self.fill_batch(1)
        return first[0] if first else None

    def fill_batch(self, max_count: int) -> list[T]:
        """Return what travels next in the open batch, all but the last one that could.

        So there is always one left to close the batch with.
        """
        if self._open_room <= 0:
            return []
        available, _ = self._shape(max_count + 1)
        return self._take_open(min(max_count, available - 1)) if available > 1 else []

    def close_batch(self, max_count: int) -> list[T]:
        """Return what travels at the end of the open batch; its lanes are closed from now on."""
        members = self._take_open(max_count)
        for lane in self._open:
            lane.is_open = False
        if any(lane.is_ready for lane in self._open):
            for lane in self._open:
                lane.is_ready = False
            self._ready = deque(lane for lane in self._ready if lane.is_ready)
        self._open.clear()
        return members

    def _take_open(self, max_count: int) -> list[T]:
        members = self._take(self._ready, max_count, max_count, max(self._open_room, 1))
        self._count_out(members)
        lane: Lane[T] | None = None
        for item in members:
            self._open_room -= item.size_bytes
            lane = self._lanes.get(item.lane)
            if lane is not None and not lane.is_open:
                lane.is_open = True
                self._open.append(lane)
        if lane is not None and lane.waiting:
            lane.is_ready = True
            self._ready.appendleft(lane)
        return members

    def take_suspects(self, is_wanted: Callable[[T], bool]) -> list[T]:
        """Take all suspects of those lanes whose first one is wanted.

        The lanes stay closed until they are released.
        """
        taken: list[T] = []
        for _ in range(len(self._suspect)):
            lane = self._suspect.popleft()
            if not is_wanted(lane.waiting[0]):
                self._suspect.append(lane)
                continue
            lane.is_ready = False
            lane.is_under_way = True
            while lane.waiting and lane.waiting[0].is_suspect:
                taken.append(lane.waiting.popleft())
        self._count_out(taken)
        return taken

    def drain(self) -> list[T]:
        """Take out all that waits, in order within each lane."""
        free = [lane for lane in (*self._suspect, *self._ready) if not lane.key]
        items = [item for lane in (*self._lanes.values(), *free) for item in lane.waiting]
        self._lanes.clear()
        self._ready.clear()
        self._suspect.clear()
        self._open.clear()
        self.waiting_count = self.waiting_bytes = 0
        return items

    def _lane(self, key: str) -> Lane[T]:
        if not key:
            return Lane(key)
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = Lane(key)
        return lane

    def _make_ready(self, lane: Lane[T]) -> None:
        lane.is_ready = True
        (self._suspect if lane.waiting[0].is_suspect else self._ready).append(lane)

    def _shape(self, max_count: int) -> tuple[int, int]:
        """Return how many events may be sent now, up to `max_count`.

        And how many of them are in one lane at most.
        """
        count = 0
        depth = 1
        for lane in self._ready:
            length = len(lane.waiting)
            count += length
            if length > depth:
                depth = length
            if count >= max_count:
                return max_count, min(depth, max_count)
        return count, depth

    def _take(
        self,
        lanes: deque[Lane[T]],
        max_count: int,
        max_of_lane: int,
        room: int = MAX_GROUP_BYTES,
    ) -> list[T]:
        members: list[T] = []
        while lanes and len(members) < max_count and room > 0:
            lane = lanes.popleft()
            lane.is_ready = False
            lane.is_under_way = True
            waiting = lane.waiting
            for _ in range(min(len(waiting), max_of_lane, max_count - len(members))):
                if room <= 0:
                    break
                item = waiting.popleft()
                room -= item.size_bytes
                members.append(item)
        return members

    def _group(self, members: list[T], is_batch: bool) -> Group[T]:
        self._count_out(members)
        return Group(members, is_batch and len(members) > 1)

    def _count_out(self, members: list[T]) -> None:
        self.waiting_count -= len(members)
        for item in members:
            self.waiting_bytes -= item.size_bytes


def is_batch_cheaper(count: int, depth: int) -> bool:
    """Return whether `count` events, `depth` of them in the deepest lane.

    Are stored sooner as one atomic batch.
    """
    if count < 2:
        return False
    singles = depth * SINGLES_FIXED_COST + count * SINGLES_COST
    return BATCH_FIXED_COST + count * BATCH_COST < singles
