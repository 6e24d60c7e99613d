"""What Python makes of a message before ClickHouse sees it; pure.

Every event is brought into canonical form: parsed, unknown fields discarded, serialised. ClickHouse
neither merges repeated submessages nor clears the losing branch of a oneof, and reads some wrong
wire types as values; of the canonical form both make the same. Verification decodes `raw` again
through this module and `decode_columns`.
"""

import re
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources

from google.protobuf.message import DecodeError

from infrastructure.history.event_run import read_run
from infrastructure.ingestor.emitters import Numbered
from nervous_system.errors import InvalidEventError
from nervous_system.schemas import SwarmEvent
from nervous_system.subjects import escape_token

UNDECODABLE = "undecodable"
UNKNOWN = "unknown"
NOT_PROTOBUF = "the bytes are not a SwarmEvent"
NOT_A_UUID = "event_id is not a UUID"
REFUSED = "ClickHouse cannot decode the event"
MESSAGE = "Stored"
"""Name of the message in `stored_schema` that one row is sent as."""

_DECODE_START, _DECODE_END = "-- decode: from here", "-- decode: end"
_AGENT_TOKEN_AT = 4
_UUID_LENGTH, _UUID_DIGITS, _UUID_DASHES = 36, 32, (8, 13, 18, 23)
_is_uuid = re.compile(
    r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
).fullmatch


@dataclass(slots=True)
class Decoded:
    """A run of messages as Python reads them; parallel lists, one entry per message."""

    canonical: list[bytes] = field(default_factory=list)
    """Canonical form of each event; empty where it does not decode."""
    kinds: list[str] = field(default_factory=list)
    agents: list[str] = field(default_factory=list)
    reasons: dict[int, str] = field(default_factory=dict)
    """Why the message at this position does not decode."""
    event_ids: list[str] = field(default_factory=list)
    """Of the events that decode."""
    numbered: list[Numbered] = field(default_factory=list)
    """The events that carry an emitter and its number."""


def decode(payloads: Sequence[bytes], refused: Container[int] = ()) -> Decoded:
    """Decode messages; what is not a SwarmEvent with a UUID is told with its reason, never raised.

    Args:
        payloads: the messages as received.
        refused: positions of messages that ClickHouse has refused before.
    """
    if not refused and (whole := _decode_together(payloads)):
        return whole
    found = _decode(payloads, refused, _is_anything)
    if all_uuids(found.event_ids):
        return found
    return _decode(payloads, refused, _is_uuid)


def _decode_together(payloads: Sequence[bytes]) -> Decoded | None:
    """Decode messages that all are events with a UUID; None: some are not."""
    run = read_run(payloads)
    if run is None:
        return None
    events = run.events
    event_ids = [event.event_id for event in events]
    if not all_uuids(event_ids):
        return None
    return Decoded(
        canonical=list(run.canonical),
        kinds=[event.WhichOneof("payload") or UNKNOWN for event in events],
        agents=[event.agent_id for event in events],
        event_ids=event_ids,
        numbered=[
            (at, emitter, number)
            for at, event in enumerate(events)
            if (number := event.emitter_seq) and (emitter := event.emitter_id)
        ],
    )


def _decode(
    payloads: Sequence[bytes], refused: Container[int], is_uuid: Callable[[str], object]
) -> Decoded:
    found = Decoded()
    add_canonical, add_kind, add_agent, add_id = (
        found.canonical.append,
        found.kinds.append,
        found.agents.append,
        found.event_ids.append,
    )
    add_numbered, parse = found.numbered.append, SwarmEvent.FromString
    for at, raw in enumerate(payloads):
        try:
            event = parse(raw)
        except DecodeError:
            _refuse(found, at, NOT_PROTOBUF)
            continue
        event_id = event.event_id
        if not is_uuid(event_id):
            _refuse(found, at, NOT_A_UUID)
            continue
        if at in refused:
            _refuse(found, at, REFUSED)
            continue
        add_id(event_id)
        event.DiscardUnknownFields()
        add_canonical(event.SerializeToString())
        add_kind(event.WhichOneof("payload") or UNKNOWN)
        add_agent(event.agent_id)
        if (number := event.emitter_seq) and (emitter := event.emitter_id):
            add_numbered((at, emitter, number))
    return found


def _is_anything(event_id: str) -> bool:
    """Leave the check to `all_uuids`, which makes it for all at a third of the price."""
    del event_id
    return True


def all_uuids(texts: Sequence[str]) -> bool:
    """Return whether each text is a UUID in its 36-character form."""
    count, joined = len(texts), "".join(texts)
    digits = joined.replace("-", "")
    dashes = "-" * count
    if len(joined) != _UUID_LENGTH * count or len(digits) != _UUID_DIGITS * count:
        return False
    # One too long beside one too short would come out even.
    if count and max(map(len, texts)) != _UUID_LENGTH:
        return False
    if any(joined[at::_UUID_LENGTH] != dashes for at in _UUID_DASHES):
        return False
    try:
        # White space would be skipped in silence; the length tells.
        return len(bytes.fromhex(digits)) * 2 == len(digits)
    except ValueError:
        return False


def _refuse(found: Decoded, at: int, reason: str) -> None:
    found.canonical.append(b"")
    found.kinds.append(UNDECODABLE)
    found.agents.append("")
    found.reasons[at] = reason


def is_authenticated(subject: bytes, agent_id: str) -> bool:
    """Return whether the bus vouches for the agent: the subject ends in its token.

    A user bound to agents may publish only on subjects that end in one of their tokens, the user
    for other programs only on subjects without a token. The operator and a user of agents that is
    bound to none may publish on any, so that for these it says what they say.
    """
    tokens = subject.split(b".")
    if len(tokens) <= _AGENT_TOKEN_AT:
        return False
    try:
        return tokens[-1] == escape_token(agent_id).encode()
    except InvalidEventError:
        return False


@cache
def stored_schema() -> str:
    """Return the text of stored.proto, as ClickHouse takes it."""
    file = resources.files("infrastructure.history") / "stored.proto"
    return file.read_text(encoding="utf-8")


@cache
def decode_columns() -> str:
    """Return the `with ... select ...` that turns swarm.events_input into swarm.events.

    It is cut out of the newest migration that gives the materialized view its query; append `from
    TABLE` to use it.
    """
    folder = resources.files("infrastructure.history") / "migrations"
    files = sorted(folder.iterdir(), key=lambda file: file.name, reverse=True)
    texts = (file.read_text(encoding="utf-8") for file in files if file.name.endswith(".sql"))
    text = next(text for text in texts if _DECODE_START in text)
    _, _, rest = text.partition(_DECODE_START)
    return rest.partition("\n")[2].partition(_DECODE_END)[0].strip()
