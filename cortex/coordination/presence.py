"""Who takes part in a project now, and what each does.

Whatever an agent's command does, it also says that the agent is there: a signal that says until
when the next one can be expected. A command fails for none of these.
"""

import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cortex.coordination import places
from cortex.coordination.log import Entry, SharedLog
from nervous_system import events
from nervous_system.comms.streams import EVENTS_STREAM

HERE, GONE = "HEALTHY", "STOPPED"
BETWEEN_COMMANDS_SECONDS = 300.0
"""An agent in a terminal may think for so long."""
BEAT_SECONDS = 10.0
"""How often a process that stays says that it is there."""
STEADY_SECONDS = 3 * BEAT_SECONDS
_EXPECTED = "expected_within_s"
MAX_DOING_CHARACTERS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """What an agent has last said of itself."""

    agent: str
    doing: str
    status: str
    at: datetime
    """When it was heard, by the server's clock, UTC."""
    expected_within: timedelta
    """How long after that it is taken for alive."""
    host: str
    pid: int

    def is_alive(self, now: datetime) -> bool:
        """Whether it has not said goodbye, and its next signal is not overdue."""
        return self.status != GONE and now <= self.at + self.expected_within


class Roster:
    """The agents of one project."""

    def __init__(self, log: SharedLog) -> None:
        self._log = log

    async def announce(
        self,
        doing: str,
        *,
        command: Sequence[str] = (),
        status: str = HERE,
        within: float = BETWEEN_COMMANDS_SECONDS,
    ) -> None:
        """Say that this agent is there.

        Args:
            doing: what it does, in a few words.
            command: what it runs; secrets are taken out of it.
            status: `HERE`, or `GONE`.
            within: seconds until the next signal, at the latest.

        Raises:
            BusUnavailableError: no ack came in time.
        """
        author = self._log.author
        said = f"{doing}: {' '.join(command)}" if command else doing
        payload = events.system_signal(status, detail=said[:MAX_DOING_CHARACTERS])
        labels = {
            "host": socket.gethostname(),
            "pid": str(os.getpid()),
            _EXPECTED: f"{within:g}",
        }
        subject = places.presence(author.project, author.agent, author.role)
        await self._log.tell(payload, subject, labels, has_text=bool(command))

    async def list(self) -> list[Presence]:
        """Return the agents that have been there for as long as events are kept, by name.

        Raises:
            BusUnavailableError: the bus is away.
        """
        pattern = places.presences(self._log.author.project)
        entries = await self._log.newest_of_each(pattern, stream=EVENTS_STREAM)
        found = {one.agent: one for one in map(read_presence, entries) if one is not None}
        return sorted(found.values(), key=lambda one: one.agent)


def read_presence(entry: Entry) -> Presence | None:
    """Return what a message says of its agent; None where it says nothing of it."""
    agent = places.present_agent(entry.subject)
    if agent is None or entry.event is None:
        return None
    if entry.event.WhichOneof("payload") != "system_signal":
        return None
    labels = entry.event.attributes
    return Presence(
        agent=agent,
        doing=entry.event.system_signal.detail,
        status=entry.event.system_signal.status,
        at=entry.at,
        expected_within=timedelta(seconds=_seconds(labels.get(_EXPECTED, ""))),
        host=labels.get("host", ""),
        pid=_number(labels.get("pid", "")),
    )


def _seconds(text: str) -> float:
    try:
        return min(86_400.0, max(0.0, float(text)))  # in this order, not a number is 0
    except ValueError:
        return BETWEEN_COMMANDS_SECONDS


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 12 else 0
