"""Rows of the engine's queries as the records of `recovery`. Pure."""

from collections.abc import Mapping
from typing import Any

from cortex.engine.recovery import Change, Departure, Newest, Resource
from cortex.engine.strands import Strand


def resource_of_row(row: Mapping[str, Any]) -> Resource:
    """Return the resource that a row is about; `name_hex` is set where the name is not UTF-8."""
    raw = bytes.fromhex(str(row["name_hex"]))
    return Resource(str(row["target_type"]), raw or str(row["target_resource"]).encode())


def change_of_row(row: Mapping[str, Any], workspace_id: str) -> Change:
    """Return the change that a row of `changes` or `patches` holds."""
    return Change(
        resource=resource_of_row(row),
        sequence=int(row["sequence"]),
        event_id=str(row["id"]),
        workspace_id=workspace_id,
        previous_digest=str(row["previous_state_hash"]),
        digest=str(row["new_state_hash"]),
        mode=int(row["mode"]),
        size_bytes=int(row["size_bytes"]),
        is_restorable=bool(row["is_reversible"]),
        renamed_from=str(row["renamed_from"]),
    )


def event_of_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a whole event by the names of `swarm.events`, with its time as `time_ns`."""
    event = dict(row)
    event["event_id"] = str(event.pop("id"))
    event["resource_bytes"] = bytes.fromhex(str(event.pop("name_hex")))
    event["line_bytes"] = bytes.fromhex(str(event.pop("line_hex")))
    return event


def change_of_event(event: Mapping[str, Any]) -> Change:
    """Return the change that a whole event of that kind holds."""
    named = {
        **event,
        "name_hex": event["resource_bytes"].hex(),
        "sequence": event["stream_seq"],
        "id": event["event_id"],
    }
    return change_of_row(named, str(event["workspace_id"]))


def strand_of_row(row: Mapping[str, Any]) -> Strand:
    """Return what a row of `strands` adds up."""
    _, first_digest, renamed_from = row["first"]
    last_sequence, last_digest = row["last"]
    return Strand(
        resource=resource_of_row(row),
        first_digest=str(first_digest),
        is_first_rename=bool(renamed_from),
        last_sequence=int(last_sequence),
        last_digest=str(last_digest),
        gain=int(row["gain"]),
        departures={str(name): int(at) for name, at in row["departures"].items()},
    )


def newest_of_row(row: Mapping[str, Any], workspace_id: str) -> Newest:
    """Return the newest change that a row of `state` or `resource_state` holds."""
    sequence, event_id, previous, digest, mode, size_bytes, is_restorable, renamed = row["newest"]
    change = Change(
        resource=resource_of_row(row),
        sequence=int(sequence),
        event_id=str(event_id),
        workspace_id=workspace_id,
        previous_digest=str(previous),
        digest=str(digest),
        mode=int(mode),
        size_bytes=int(size_bytes),
        is_restorable=bool(is_restorable),
        renamed_from=str(renamed),
    )
    return Newest(
        change=change,
        known_mode=int(row["known_mode"]),
        mode_sequence=int(row["mode_sequence"]),
        departures=tuple(
            Departure(
                name=str(name),
                sequence=int(at),
                event_id=str(by),
                workspace_id=workspace_id,
                is_mode_known=not is_unknown,
            )
            for name, at, by, is_unknown in row.get("departures", ())
        ),
    )


def has_unsaid_mode(row: Mapping[str, Any]) -> bool:
    """Whether the mode of a row of `resource_state` is one that a rename handed on unsaid."""
    return int(row["unsaid_sequence"]) > int(row["mode_sequence"])


def departure_of_row(
    row: Mapping[str, Any], name: str, workspace_id: str
) -> tuple[Resource, Departure]:
    """Return which resource of a name went away last, and how, from a row of `departure`."""
    resource = Resource(str(row["target_type"]), name.encode())
    departure = Departure(
        name=name,
        sequence=int(row["sequence"]),
        event_id="",
        workspace_id=workspace_id,
        is_mode_known=True,
    )
    return resource, departure
