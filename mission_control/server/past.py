"""Time travel, by the engine's own rules: the answers are those of the command line."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cortex.cli.diff_command import differences_answer
from cortex.cli.moments import Chosen, choose
from cortex.cli.output import to_json_value
from cortex.cli.show_command import content_answer, state_answer
from cortex.cli.time_travel import Opened, named_resource
from cortex.cli.why_command import answer_why, why_view
from mission_control.server.archive import Archive
from mission_control.server.models import Difference, ResourceContent, State, Why


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A moment, and whose it is."""

    at: str
    run_id: str = ""
    workspace_id: str = ""


async def opened_past(archive: Archive) -> Opened:
    """Return the past with its contents.

    Raises:
        HistoryUnavailableError: history does not answer yet.
    """
    past = await asyncio.to_thread(lambda: archive.past)
    return Opened(past=past, contents=archive.contents)


async def chosen_moment(opened: Opened, asked: Asked) -> Chosen:
    """Return the moment that is asked for, in its own workspace or the one given.

    Raises:
        MomentError: it names none, or more than one.
        NotRecordedError: history does not hold it.
    """
    return await choose(opened.past, asked.at, run=asked.run_id, workspace=asked.workspace_id)


async def state(archive: Archive, asked: Asked) -> State:
    """Return everything that a workspace held at a moment.

    Raises:
        MomentError: the moment names none, or more than one.
        NotRecordedError: history does not hold it.
    """
    opened = await opened_past(archive)
    found = await state_answer(opened, await chosen_moment(opened, asked))
    return State.model_validate(to_json_value(found))


async def resource_content(
    archive: Archive, asked: Asked, name: str, target_type: str
) -> ResourceContent:
    """Return one resource with its content.

    Raises:
        MomentError: the moment names none, or more than one.
        NotRecordedError: it did not exist then.
        ContentMissingError: its content is not kept.
    """
    opened = await opened_past(archive)
    chosen = await chosen_moment(opened, asked)
    found = await content_answer(opened, chosen, named_resource(name, target_type))
    return ResourceContent.model_validate(to_json_value(found))


async def differences(
    archive: Archive, asked: Sequence[Asked], name: str | None
) -> list[Difference]:
    """Return what differs between two moments, in one file or in all.

    Raises:
        MomentError: a moment names none, or more than one.
        NotRecordedError: history does not hold one.
    """
    opened = await opened_past(archive)
    places = [(await chosen_moment(opened, one)).place for one in asked]
    found = await differences_answer(opened, places, name)
    return [Difference.model_validate(to_json_value(one)) for one in found]


async def why(archive: Archive, asked: Asked, name: str, target_type: str, line: int | None) -> Why:
    """Return why a resource, or a line of it, is as it is.

    Raises:
        MomentError: the moment names none, or more than one.
        NotRecordedError: history knows nothing of it.
    """
    opened = await opened_past(archive)
    resource = named_resource(name, target_type)
    given = (asked.at, asked.run_id, asked.workspace_id)
    answer: dict[str, Any] = why_view(await answer_why(opened, given, resource, line))
    return Why.model_validate(to_json_value(answer))
