"""The bus half of a backup: the server's own snapshots of its streams, and putting them back.

A snapshot is taken by the server at one moment while others publish. nats-py has no calls for it,
so the API's requests are written out here. The server sends pieces and waits for an answer to each.
"""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nats.errors

from infrastructure.errors import BackupError
from nervous_system.comms.connection import BusClient

REQUEST_SECONDS = 30.0
PIECE_SECONDS = 60.0
PIECE_BYTES = 128 * 1024
WINDOW_BYTES = 32 * 1024 * 1024
"""How much the server sends before it waits for answers; the most that it accepts."""
LAST_PIECE = b""
NO_FLOW_RESPONSE = "408"


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamSnapshot:
    """One stream as it was at one moment."""

    stream: str
    config: dict[str, Any]
    state: dict[str, Any]
    """Messages, bytes, first_seq, last_seq and so on."""
    file: Path
    """The server's archive of the stream."""


async def stream_names(client: BusClient) -> list[str]:
    """Return the names of all streams, those of key-value and object stores too."""
    names: list[str] = []
    while True:
        page = await _ask(client, "STREAM.NAMES", {"offset": len(names)})
        found = page.get("streams") or []
        names += found
        if not found or len(names) >= int(page.get("total", 0)):
            return names


async def take_snapshot(client: BusClient, stream: str, file: Path) -> StreamSnapshot:
    """Write a snapshot of `stream` to `file`.

    Raises:
        BackupError: the server gave none, or stopped in the middle.
    """
    inbox = client.new_inbox()
    subscription = await client.subscribe(inbox)
    try:
        request = {
            "deliver_subject": inbox,
            "no_consumers": True,
            "jsck": True,
            "window_size": WINDOW_BYTES,
        }
        answer = await _ask(client, f"STREAM.SNAPSHOT.{stream}", request)
        with file.open("wb") as target:
            while piece := await _next_piece(subscription, stream):
                target.write(piece.data)
                if piece.reply:
                    await client.publish(piece.reply, b"")
    finally:
        await subscription.unsubscribe()
    return StreamSnapshot(stream=stream, config=answer["config"], state=answer["state"], file=file)


async def restore_snapshot(client: BusClient, snapshot: StreamSnapshot) -> dict[str, Any]:
    """Create the stream from its snapshot on another server and return its state there.

    Raises:
        BackupError: that server refused it.
    """
    request = {"config": snapshot.config, "state": snapshot.state}
    answer = await _ask(client, f"STREAM.RESTORE.{snapshot.stream}", request)
    target = str(answer["deliver_subject"])
    async for piece in _pieces(snapshot.file):
        reply = await client.request(target, piece, timeout=PIECE_SECONDS)
        if reply.data and piece != LAST_PIECE:
            raise _refused(f"restore of {snapshot.stream}", reply.data)
    created = json.loads(reply.data)
    if "error" in created:
        raise _refused(f"restore of {snapshot.stream}", reply.data)
    state: dict[str, Any] = created["state"]
    return state


async def _pieces(file: Path) -> AsyncIterator[bytes]:
    with file.open("rb") as source:
        while piece := source.read(PIECE_BYTES):
            yield piece
    yield LAST_PIECE


async def _next_piece(subscription: Any, stream: str) -> Any:
    """Return the next piece, or None at the end."""
    try:
        message = await subscription.next_msg(timeout=PIECE_SECONDS)
    except nats.errors.TimeoutError as error:
        raise BackupError(
            directory=stream,
            reason=f"the bus stopped sending its snapshot for {PIECE_SECONDS:g} s",
        ) from error
    if message.data:
        return message
    status = (message.headers or {}).get("Status", "")
    if status and not status.startswith("2"):
        raise BackupError(directory=stream, reason=_why_ended(status))
    return None


def _why_ended(status: str) -> str:
    if status == NO_FLOW_RESPONSE:
        return (
            "the bus got no answers to the pieces of its snapshot: "
            "its user needs to publish on $JS.SNAPSHOT.>"
        )
    return f"the bus ended its snapshot with status {status}"


async def _ask(client: BusClient, api: str, request: dict[str, Any]) -> dict[str, Any]:
    try:
        reply = await client.request(
            f"$JS.API.{api}", json.dumps(request).encode(), timeout=REQUEST_SECONDS
        )
    except nats.errors.Error as error:
        raise BackupError(directory=api, reason=f"the bus did not answer: {error}") from error
    answer: dict[str, Any] = json.loads(reply.data)
    if "error" in answer:
        raise _refused(api, reply.data)
    return answer


def _refused(what: str, data: bytes) -> BackupError:
    error = json.loads(data).get("error", {})
    reason = error.get("description", "no reason given")
    return BackupError(directory=what, reason=f"the bus refused: {reason}")
