"""Events: pages of them by place in the streams, and one with what it hangs together with."""

import asyncio
import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cortex.cli.event_view import summary, view_of_row
from cortex.cli.moments import named_event
from cortex.cli.time_travel import event_view
from cortex.engine.past import Moment
from cortex.engine.recorded_rows import event_of_row
from cortex.errors import MomentError
from mission_control.server.archive import Archive
from mission_control.server.cursors import HIGHEST, format_places, parse_place, parse_places
from mission_control.server.ledger import entry_of
from mission_control.server.models import EventDetail, EventLink, EventPage, ListedEvent
from mission_control.server.moments import HIGHEST_NS, LOWEST_NS, asked_time
from mission_control.server.query_text import MAX_LISTED_CHARACTERS, Order

MAX_EFFECTS = 200
MAX_SUMMARY_CHARACTERS = 300
Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which events are asked for; what is empty asks for nothing."""

    run_id: str = ""
    agents: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    trace_id: str = ""
    workspace_id: str = ""
    resource: str = ""
    text: str = ""
    start: str = ""
    end: str = ""
    before: tuple[str, ...] = ()
    """Places, `STREAM:SEQ`: only what is before them, and of their streams."""

    def parameters(self) -> dict[str, Any]:
        """Return the parameters of the query.

        Raises:
            BadQuestionError: one of the times is none.
        """
        return {
            "run": self.run_id,
            "agents": list(self.agents),
            "roles": list(self.roles),
            "kinds": list(self.kinds),
            "trace": self.trace_id,
            "workspace": self.workspace_id,
            "resource": self.resource,
            "text": self.text,
            "start_ns": asked_time("from", self.start, LOWEST_NS),
            "end_ns": asked_time("to", self.end, HIGHEST_NS),
        }


def several(text: str) -> tuple[str, ...]:
    """Return the names that a parameter lists."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def event_page(
    archive: Archive, asked: Asked, *, cursor: str, limit: int, order: Order
) -> EventPage:
    """Return a page of events.

    Raises:
        BadQuestionError: the cursor is none of ours, or a time or place is none.
        HistoryError: history cannot be asked.
    """
    parameters = asked.parameters()
    ends = dict(parse_place("before", text) for text in asked.before)
    places = parse_places(cursor) if cursor else _first_places(archive, order)
    if ends:
        places = {stream: place for stream, place in places.items() if stream in ends}
    listed = [
        archive.rows(
            "events",
            **parameters,
            **_bounds(stream, place, ends.get(stream, HIGHEST), order),
            order=order,
            limit=limit + 1,
        )
        for stream, place in places.items()
    ]
    rows, has_more = merge_streams(listed, limit, order)
    reached = places | {row["stream"]: row["stream_seq"] for row in rows}
    return EventPage(
        items=[event_row(row) for row in rows],
        next_cursor=format_places(reached) if has_more else None,
    )


def merge_streams(
    listed: Sequence[Iterable[Row]], limit: int, order: Order
) -> tuple[list[Row], bool]:
    """Return the first `limit` rows of several streams merged by time, and whether there are more.

    Each stream keeps its own order, whatever its clocks say, so that the place of its last row
    taken is all that the next page needs to know.
    """
    merged = heapq.merge(*listed, key=lambda row: str(row["event_time"]), reverse=order == "desc")
    taken = [row for row, _ in zip(merged, range(limit + 1), strict=False)]
    return taken[:limit], len(taken) > limit


def event_row(row: Mapping[str, Any]) -> ListedEvent:
    """Return a row of `swarm.events` as the command line shows it, but for very long texts."""
    view = view_of_row(row)
    cut = [name for name, value in view.items() if _is_long(value)]
    return ListedEvent(**view | {name: view[name][:MAX_LISTED_CHARACTERS] for name in cut}, cut=cut)


def _is_long(value: object) -> bool:
    return isinstance(value, str) and len(value) > MAX_LISTED_CHARACTERS


async def event_detail(archive: Archive, text: str) -> EventDetail:
    """Return the event that `text` names, with what led to it and what followed.

    Raises:
        MomentError: it names none, or several.
        NotRecordedError: history does not hold it.
        HistoryError: history cannot be asked.
    """
    past = await asyncio.to_thread(lambda: archive.past)
    moment = await named_event(past, text)
    if moment is None:
        raise MomentError(given=text, reason="no event id, prefix of one, or STREAM#SEQUENCE")
    [row] = await asyncio.to_thread(
        archive.rows, "event_at", stream=moment.stream, sequence=moment.sequence
    )
    causes = await past.events(row["caused_by"])
    effects = await _effects(archive, moment, row)
    entry = await asyncio.to_thread(entry_of, archive, moment.stream, moment.sequence)
    return EventDetail(
        **view_of_row(row),
        causes=[_link(cause) for cause in causes],
        effects=[_link(effect) for effect in effects],
        redactions=row["redactions"],
        is_authenticated=row["is_authenticated"],
        ledger=entry,
    )


async def _effects(archive: Archive, moment: Moment, row: Row) -> list[Row]:
    found = await archive.past_rows(
        "effects", id=moment.event_id, near=row["ingested_at"], limit=MAX_EFFECTS
    )
    return [event_of_row(one) for one in found]


def _link(event: Mapping[str, Any]) -> EventLink:
    view = event_view(event)
    return EventLink(
        **{name: view[name] for name in EventLink.model_fields if name != "summary"},
        summary=summary(view)[:MAX_SUMMARY_CHARACTERS],
    )


def _first_places(archive: Archive, order: Order) -> dict[str, int]:
    """Return where the first page starts: what arrives later is not on the pages after it."""
    reached = archive.rows("reached")
    if order == "asc":
        return {row["stream"]: 0 for row in reached}
    return {row["stream"]: row["reached"] + 1 for row in reached}


def _bounds(stream: str, place: int, end: int, order: Order) -> dict[str, Any]:
    above, below = (place, end) if order == "asc" else (0, min(place, end))
    return {"stream": stream, "above": above, "below": below}
