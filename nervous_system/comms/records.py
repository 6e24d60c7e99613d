"""Records of the contracts, made at a third of the cost of calling their classes.

A frozen class sets each field by a call that looks the field up by its name; here the setters are
looked up once. The records are the same.
"""

from collections.abc import Callable, Mapping
from typing import Any

from nervous_system.comms.contracts import Outgoing, Receipt


def _setters(record: type[Any], *fields: str) -> tuple[Callable[[Any, Any], None], ...]:
    return tuple(vars(record)[field].__set__ for field in fields)


_make = object.__new__
_set_id, _set_stream, _set_sequence, _set_duplicate, _set_spooled = _setters(
    Receipt, "event_id", "stream", "sequence", "duplicate", "spooled"
)
_set_subject, _set_payload, _set_message_id, _set_emitter_id, _set_emitter_seq, _set_headers = (
    _setters(Outgoing, "subject", "payload", "event_id", "emitter_id", "emitter_seq", "headers")
)


def stored_receipt(event_id: str, stream: str, sequence: int, is_duplicate: bool) -> Receipt:
    """Return the receipt of an event that is in the stream."""
    receipt = _make(Receipt)
    _set_id(receipt, event_id)
    _set_stream(receipt, stream)
    _set_sequence(receipt, sequence)
    _set_duplicate(receipt, is_duplicate)
    _set_spooled(receipt, False)
    return receipt


def numbered_outgoing(
    subject: str,
    payload: bytes,
    event_id: str,
    emitter_id: str,
    emitter_seq: int,
    headers: Mapping[str, str],
) -> Outgoing:
    """Return an event of an emitter on its way to the bus."""
    outgoing = _make(Outgoing)
    _set_subject(outgoing, subject)
    _set_payload(outgoing, payload)
    _set_message_id(outgoing, event_id)
    _set_emitter_id(outgoing, emitter_id)
    _set_emitter_seq(outgoing, emitter_seq)
    _set_headers(outgoing, headers)
    return outgoing
