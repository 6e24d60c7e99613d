"""What the server says about a publish: pure parsing and judgement.

Only the HTTP-like class of an error decides: 4xx is the event's fault and final, 5xx is the
server's state and passes. Atomic batches have refusals of their own, which say nothing about
single events: the events are then sent one by one.
"""

import json
from dataclasses import dataclass

NO_RESPONDERS = b" 503"
PERMISSION_CODE = 403
"""Ours: the server reports these without a code."""
OVERSIZE_CODE = 10054
"""The server's own, for a message over its limit."""


@dataclass(frozen=True, slots=True)
class Stored:
    """The server has it on disk."""

    stream: str
    sequence: int
    """Of the last message of a batch."""
    is_duplicate: bool
    count: int
    """Messages in the batch; 0 for a single."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """The server has not stored it, and says so."""

    code: int
    """The server's error code, such as 10054; 403 for a permission violation.

    503 when nobody answers for the stream.
    """
    description: str
    is_final: bool
    """Sending the same again cannot succeed."""


def parse_reply(payload: bytes, headers: bytes | None) -> Stored | Refusal:
    """Return what an ack says; an answer that cannot be read counts as passing trouble."""
    if headers and NO_RESPONDERS in headers[:16]:
        return Refusal(503, "no stream takes this subject now", is_final=False)
    try:
        answer = json.loads(payload)
    except ValueError:
        return Refusal(0, f"unreadable ack {payload[:80]!r}", is_final=False)
    error = answer.get("error")
    if error:
        return Refusal(
            int(error.get("err_code", 0)),
            str(error.get("description", "")),
            is_final=400 <= int(error.get("code", 500)) < 500,
        )
    return Stored(
        str(answer.get("stream", "")),
        int(answer.get("seq", 0)),
        bool(answer.get("duplicate", False)),
        int(answer.get("count", 0)),
    )


def refused_subject(message: str) -> str | None:
    """Return the subject that a permission violation names, in lower case.

    None where it is about something else.
    """
    marker = 'publish to "'
    start = message.find(marker)
    if start < 0:
        return None
    start += len(marker)
    end = message.find('"', start)
    return message[start:end] if end > 0 else None
