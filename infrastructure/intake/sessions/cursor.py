"""Cursors: how far a source is stored, as the stream of events itself says.

Pure. A cursor is an event (a session's mark of type `mirror`) that is stored together with what it
speaks of, on the condition that nobody has stored another one meanwhile. So there is no moment at
which lines are stored and not counted, and of two who mirror the same source one waits for nothing
and the other learns what is left.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

from infrastructure.intake.sessions.identity import Identity
from infrastructure.intake.sessions.mapping import Settled, settled_of
from nervous_system.schemas import AgentRole
from nervous_system.subjects import EVENTS_PREFIX, escape_token, role_token

MARK: Final = "mirror"
"""Type of the marks that are cursors."""
EMPTY_CHAIN: Final = sha256().digest()
COORDINATION_PREFIX: Final = "swarm.coordination.session"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """How far a source is stored."""

    units: int = 0
    """So many of its units are stored whole."""
    within: int = 0
    """So many events of the unit behind them."""
    chain: bytes = EMPTY_CHAIN
    """Digest over the units, each linked to the one before."""
    generation: int = 0
    """How often the source was found to be no continuation of what had been stored."""
    settled: Settled = field(default_factory=Settled)
    sequence: int = 0
    """Where its event lies in the stream; 0: there is none."""


def link(chain: bytes, digest: bytes) -> bytes:
    """Return the chain with one more unit."""
    return sha256(chain + digest).digest()


def cursor_subject(identity: Identity) -> str:
    """Return the subject of a source's cursors, which no other event lies on."""
    role = role_token(AgentRole.ROLE_CODER)
    token = escape_token(identity.agent_id)
    return f"{EVENTS_PREFIX}.{role}.mirror_{identity.key}.{token}"


def coordination_subject(identity: Identity) -> str:
    """Return where a source's cursor is kept beyond the time that events are."""
    return f"{COORDINATION_PREFIX}.{identity.key}.{escape_token(identity.agent_id)}"


def document_of(cursor: Cursor, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document of a cursor's event; `cursor_of` is the inverse."""
    return {
        **facts,
        "units": cursor.units,
        "within": cursor.within,
        "chain": cursor.chain.hex(),
        "generation": cursor.generation,
        "settled": cursor.settled.as_document(),
    }


def cursor_of(document: str, sequence: int) -> Cursor:
    """Return the cursor in a document.

    Raises:
        ValueError: it is none.
    """
    found = json.loads(document)
    return Cursor(
        units=int(found["units"]),
        within=int(found["within"]),
        chain=bytes.fromhex(found["chain"]),
        generation=int(found["generation"]),
        settled=settled_of(found.get("settled", {})),
        sequence=sequence,
    )
