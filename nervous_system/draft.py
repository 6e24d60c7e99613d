"""Drafts: events as bytes, all but their number.

Pure. Putting together bytes costs a third of building a message, numbering it and encoding that;
the bytes are the same. Fields stand in the order of their numbers, as protobuf writes them: what
comes before the emitter's fields (101 to 103) is the head, what comes after them the tail.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from google.protobuf.message import EncodeError
from google.protobuf.timestamp_pb2 import Timestamp

from nervous_system.errors import InvalidEventError
from nervous_system.identity import AgentIdentity
from nervous_system.payloads import Payload, build_message
from nervous_system.schemas import SwarmEvent
from nervous_system.subjects import KINDS
from nervous_system.telemetry.redaction import may_hold_secret
from nervous_system.varint import varint

NANOSECONDS: Final = 1_000_000_000
_NO_ATTRIBUTES: Final[Mapping[str, str]] = {}


def number_tag(field: str) -> bytes:
    """Return what stands before a number in one of an event's fields."""
    return varint(SwarmEvent.DESCRIPTOR.fields_by_name[field].number << 3)


def size_tag(field: str) -> bytes:
    """Return what stands before the size of bytes, a text or a message in an event's field."""
    return varint(SwarmEvent.DESCRIPTOR.fields_by_name[field].number << 3 | 2)


_EVENT_ID = size_tag("event_id") + varint(36)
_TIMESTAMP = size_tag("timestamp")
_TRACE_ID = size_tag("trace_id") + varint(32)
_SPAN_ID = size_tag("span_id") + varint(16)
_PAYLOADS: Mapping[str, bytes] = {kind: size_tag(kind) for kind in KINDS}


class Draft:
    """An event that waits for its number."""

    __slots__ = ("event_id", "head", "is_suspect", "kind", "tail")

    def __init__(
        self, event_id: str, kind: str, head: bytes, tail: bytes, *, is_suspect: bool
    ) -> None:
        self.event_id = event_id
        self.kind = kind
        self.head = head
        """Its encoded fields up to `run_id`."""
        self.tail = tail
        """Its encoded fields from `caused_by` on."""
        self.is_suspect = is_suspect
        """It may hold a secret."""


class Envelope:
    """What all events of one life of an agent have in common.

    Raises:
        InvalidEventError: a name cannot be encoded.
    """

    __slots__ = ("_run", "_speaker", "_stamp", "_workspace", "_workspace_id")

    def __init__(self, identity: AgentIdentity) -> None:
        self._speaker = _encoded(agent_role=identity.role, agent_id=identity.agent_id)
        self._run = _encoded(run_id=identity.run_id)
        self._workspace_id = identity.workspace_id
        self._workspace = _encoded(workspace_id=identity.workspace_id)
        self._stamp = Timestamp()

    def draft(
        self,
        kind: str,
        payload: Payload,
        *,
        event_id: str,
        time_ns: int,
        trace_id: str = "",
        span_id: str = "",
        caused_by: Iterable[str] = (),
        attributes: Mapping[str, str] | None = None,
        workspace_id: str = "",
    ) -> Draft:
        """Return the draft of an event around `payload`.

        Args:
            kind: The payload's.
            payload: What the event says.
            event_id: A UUID of 36 characters.
            time_ns: Since 1970, in nanoseconds.
            trace_id: 32 hex digits; empty: not traced.
            span_id: 16 hex digits; empty with the trace id.
            caused_by: Ids of events that led to it.
            attributes: Labels.
            workspace_id: Where it belongs; by default the agent's workspace.

        Raises:
            InvalidEventError: a value does not fit its field.
        """
        stamp = self._stamp
        stamp.seconds, stamp.nanos = divmod(time_ns, NANOSECONDS)
        moment: bytes = stamp.SerializeToString()
        said = _serialized(payload)
        trace = (
            b"%b%b%b%b" % (_TRACE_ID, trace_id.encode(), _SPAN_ID, span_id.encode())
            if trace_id
            else b""
        )
        head = b"%b%b%b%c%b%b%b%b%b%b%b" % (
            _EVENT_ID,
            event_id.encode(),
            _TIMESTAMP,
            len(moment),
            moment,
            trace,
            self._speaker,
            _PAYLOADS[kind],
            varint(len(said)),
            said,
            self._run,
        )
        tail = self._workspace
        if caused_by or attributes or workspace_id:
            tail = _encoded(
                caused_by=caused_by,
                attributes=attributes,
                workspace_id=workspace_id or self._workspace_id,
            )
        return Draft(
            event_id,
            kind,
            head,
            tail,
            is_suspect=may_hold_secret(kind, payload, attributes or _NO_ATTRIBUTES),
        )


def _encoded(**fields: object) -> bytes:
    return _serialized(build_message(SwarmEvent, **fields))


def _serialized(message: Payload | SwarmEvent) -> bytes:
    try:
        raw: bytes = message.SerializeToString()
    except (EncodeError, ValueError) as error:
        raise InvalidEventError(field="payload", reason=f"no encoding: {error}") from error
    return raw
