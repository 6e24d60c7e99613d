"""Subjects of events: where on the bus an event of an agent lies.

`swarm.events.<role>.<kind>[.<agent>]`, lower case. An agent id is free text, so its token is
escaped reversibly: every byte of its UTF-8 form other than a-z, 0-9, `_` and `-` becomes `%XX`.
Pure; the payload, not the subject, says what an event is.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from nervous_system.errors import InvalidEventError
from nervous_system.schemas import AgentRole

EVENTS_PREFIX = "swarm.events"
ALL_EVENTS = f"{EVENTS_PREFIX}.>"

UNKNOWN_KIND = "unknown"
KINDS = (
    *("decision", "state_change", "system_signal", "tombstone", "workspace_created"),
    *("tool_call", "task_transition", "run_transition", "model_call"),
    *("step_transition", "message", "mailbox_read", "memory_change", "artifact_stored"),
    *("session_line", "session_mark"),
)
"""The payload kinds: fields of SwarmEvent, subject tokens, values of `swarm.events.kind`."""

ROLE_TOKENS = {
    AgentRole.ROLE_UNSPECIFIED: "unspecified",
    AgentRole.ROLE_ARCHITECT: "architect",
    AgentRole.ROLE_CODER: "coder",
    AgentRole.ROLE_REVIEWER: "reviewer",
    AgentRole.ROLE_OPERATOR: "operator",
}
UNSPECIFIED = "unspecified"
_TOKEN_OF_ROLE: Mapping[int, str] = {int(role): token for role, token in ROLE_TOKENS.items()}

MAX_TOKEN_BYTES = 1024
"""Longest escaped agent token; nats-server refuses control lines above 4096 bytes."""

_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789_-")
_ESCAPES = tuple(chr(byte) if byte in _PLAIN else f"%{byte:02X}" for byte in range(256))
_EMPTY = "%"
_TOKEN = re.compile(r"%|(?:[a-z0-9_-]|%[0-9A-F]{2})+")
_WORD = re.compile(r"[a-z0-9_]+")


@dataclass(frozen=True, slots=True)
class SubjectParts:
    """What a subject says about its event."""

    role: str
    """Role token, such as `coder`."""
    kind: str
    """Payload kind, such as `decision`."""
    agent: str | None
    """Escaped agent token; None where the publisher left it out."""

    @property
    def agent_id(self) -> str | None:
        """The agent's id as its events carry it; None where the publisher left the token out."""
        return None if self.agent is None else unescape_token(self.agent)


def escape_token(text: str) -> str:
    """Return `text` as one subject token; `unescape_token` is the inverse.

    Raises:
        InvalidEventError: `text` cannot be written as UTF-8, or its token is too long for a
        subject.
    """
    try:
        encoded = text.encode()
    except UnicodeEncodeError as error:
        raise InvalidEventError(field="agent_id", reason=f"not UTF-8: {error.reason}") from error
    token = "".join([_ESCAPES[byte] for byte in encoded]) or _EMPTY
    if len(token) > MAX_TOKEN_BYTES:
        raise InvalidEventError(
            field="agent_id", reason=f"{len(token)} bytes as a token, at most {MAX_TOKEN_BYTES}"
        )
    return token


def unescape_token(token: str) -> str:
    """Return the text that `escape_token` made `token` of.

    Raises:
        InvalidEventError: no text has this token.
    """
    if not _TOKEN.fullmatch(token):
        raise InvalidEventError(field="subject", reason=f"{token!r} is not an agent token")
    if token == _EMPTY:
        return ""
    try:
        text = re.sub(
            rb"%([0-9A-F]{2})", lambda match: bytes([int(match[1], 16)]), token.encode()
        ).decode()
    except UnicodeDecodeError as error:
        raise InvalidEventError(
            field="subject", reason=f"agent token {token!r} is not UTF-8"
        ) from error
    if escape_token(text) != token:
        raise InvalidEventError(
            field="subject", reason=f"agent token {token!r} escapes what needs no escaping"
        )
    return text


def role_token(role: AgentRole | int) -> str:
    """Return the subject token of `role`; `unspecified` for roles of a newer schema."""
    return _TOKEN_OF_ROLE.get(role, UNSPECIFIED)


def parse_role(text: str) -> AgentRole:
    """Return the role named `coder`, `CODER` or `ROLE_CODER`.

    Raises:
        InvalidEventError: no role has this name.
    """
    wanted = text.lower().removeprefix("role_")
    for role, token in ROLE_TOKENS.items():
        if token == wanted:
            return role
    raise InvalidEventError(
        field="agent_role", reason=f"{text!r} is none of {', '.join(ROLE_TOKENS.values())}"
    )


@lru_cache(maxsize=4096)
def subject_for(role: AgentRole | int, kind: str, agent_id: str) -> str:
    """Return the subject of an agent's events of one kind, always with the agent's token.

    Raises:
        InvalidEventError: `kind` is not a subject token, or `agent_id` makes none.
    """
    if not _WORD.fullmatch(kind):
        raise InvalidEventError(field="kind", reason=f"{kind!r} is not a subject token")
    return f"{EVENTS_PREFIX}.{role_token(role)}.{kind}.{escape_token(agent_id)}"


def parse_subject(subject: str) -> SubjectParts:
    """Return the parts of an event's subject; the inverse of `subject_for`.

    Raises:
        InvalidEventError: it is not of the form `swarm.events.<role>.<kind>[.<agent>]`.
    """
    tokens = subject.split(".")
    if not 4 <= len(tokens) <= 5 or ".".join(tokens[:2]) != EVENTS_PREFIX or not all(tokens):
        raise InvalidEventError(
            field="subject", reason=f"{subject!r} is not {EVENTS_PREFIX}.<role>.<kind>[.<agent>]"
        )
    return SubjectParts(tokens[2], tokens[3], tokens[4] if len(tokens) == 5 else None)
