"""Names of what is read: sessions, their agents, their events. Pure.

Every name follows from what stands in a transcript, never from a machine, a home or a clock: who
reads the same line again, wherever, makes the same event of it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from nervous_system.payloads import LineSource

WHOLE_NAME_CHARACTERS = 24
"""A session's name that is no longer is shown whole."""
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """One session as one source shows it."""

    harness: str
    """claude-code, codex, ..."""
    mapper: str
    """Name and version of what reads the format."""
    source: LineSource
    session_id: str
    """Of the transcript; of a sub-agent's with the agent behind a slash."""
    run_id: str
    """The session that it belongs to: its own, or, of a sub-agent's, the one that started it."""
    agent_id: str
    parent_agent_id: str = ""

    @property
    def key(self) -> str:
        """What no other session, and no other source of the same session, is called."""
        text = "\0".join((self.harness, self.session_id, self.run_id, self.source))
        return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:24]

    @property
    def begun_by(self) -> str:
        """Id of the event by which the session that started it names it; empty: none did.

        It follows from names alone, so that both transcripts lead to it, whichever is read first.
        """
        return event_id(self.key, b"", 0, "begun") if self.parent_agent_id else ""

    def child(self, name: str, *, has_session: bool) -> "Identity":
        """Return the identity of a sub-agent that this session starts.

        Args:
            name: What the transcript calls it.
            has_session: It has a session of its own, which is called so; else it lies within the
                session.
        """
        within = {"child": name} if not has_session else {"parent_session": self.session_id}
        session_id = name if has_session else self.run_id
        return identify(self.harness, self.mapper, self.source, session_id, **within)

    @property
    def attributes(self) -> Mapping[str, str]:
        """What every event of the session carries."""
        return {
            "harness": self.harness,
            "source": self.source,
            "mapper": self.mapper,
            "session_id": self.session_id,
            **({"parent_agent_id": self.parent_agent_id} if self.parent_agent_id else {}),
        }


def identify(
    harness: str,
    mapper: str,
    source: LineSource,
    session_id: str,
    *,
    child: str = "",
    parent_session: str = "",
) -> Identity:
    """Return the identity of a session.

    Args:
        harness: Whose session it is.
        mapper: Name and version of what reads it.
        source: Where it is seen.
        session_id: The harness's own name for it; of a sub-agent within a session, the session's.
        child: Of such a sub-agent: its name.
        parent_session: Of a sub-agent with a session of its own: the session that started it.
    """
    if child:
        return Identity(
            harness=harness,
            mapper=mapper,
            source=source,
            session_id=f"{session_id}/{child}",
            run_id=session_id,
            agent_id=agent_name(harness, session_id, child),
            parent_agent_id=agent_name(harness, session_id),
        )
    if parent_session and parent_session != session_id:
        return Identity(
            harness=harness,
            mapper=mapper,
            source=source,
            session_id=session_id,
            run_id=parent_session,
            agent_id=agent_name(harness, parent_session, session_id),
            parent_agent_id=agent_name(harness, parent_session),
        )
    return Identity(
        harness=harness,
        mapper=mapper,
        source=source,
        session_id=session_id,
        run_id=session_id,
        agent_id=agent_name(harness, session_id),
    )


def agent_name(harness: str, session_id: str, child: str = "") -> str:
    """Return what the agent of a session is called, or one of its sub-agents."""
    name = f"{harness}/{short_name(session_id)}"
    return f"{name}/{short_name(child)}" if child else name


def short_name(name: str) -> str:
    """Return a session's name for people; of ids that begin with a time, both ends tell."""
    if _UUID.fullmatch(name) or len(name) > WHOLE_NAME_CHARACTERS:
        return f"{name[:8]}-{name[-4:]}"
    return name


def event_id(key: str, digest: bytes, occurrence: int, name: str) -> str:
    """Return the id of an event: a UUID (version 8) that follows from what it is made of.

    Args:
        key: Of the identity.
        digest: Of the line or record, secrets taken out.
        occurrence: How often the same bytes came before in this source.
        name: Which of the events that are made of it.
    """
    text = b"%b\0%b\0%d\0%b" % (key.encode(), digest, occurrence, name.encode())
    number = int.from_bytes(sha256(text).digest()[:16])
    number = number & ~(0xF << 76) | 8 << 76
    number = number & ~(0b11 << 62) | 0b10 << 62
    digits = f"{number:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
