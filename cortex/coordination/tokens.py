"""What an agent keeps between its commands: tokens of its claims, and what it has read last.

In the home, a file for each project and agent, readable by the owner only. The token is what tells
a holder from one whose lease has run out, also where both go by the same name.
"""

import asyncio
import contextlib
import fcntl
import logging
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

from cortex.coordination.causes import CauseStore
from cortex.coordination.steps_rules import DEFAULT_LEASE_SECONDS, Step
from nervous_system.home import Home, read_json, write_json
from nervous_system.subjects import escape_token

logger = logging.getLogger(__name__)

FOLDER = "coordination"
MAX_FILE_NAME = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One's own claim of a step."""

    step: str
    token: int = 0
    """Sequence of the claim; 0: there is none here."""
    sequence: int = 0
    """Of the claim, or of its newest renewal; 0: not known."""
    lease_ms: int = int(DEFAULT_LEASE_SECONDS * 1000)
    expires_at_ms: int = 0
    event_id: str = ""
    """Of the claim, or of its newest renewal."""

    @classmethod
    def of(cls, step: Step, lease_ms: int) -> "Held":
        """Return what is kept of a step just claimed or renewed."""
        return cls(
            step=step.step,
            token=step.token,
            sequence=step.sequence,
            lease_ms=lease_ms,
            expires_at_ms=step.expires_at_ms,
            event_id=step.event_id,
        )


class Tokens(CauseStore, Protocol):
    """Keeps the claims of one agent in one project."""

    def get(self, step: str) -> Held | None:
        """Return the claim of a step; None where none is kept."""
        ...

    def all(self) -> list[Held]:
        """Return the claims that are kept."""
        ...

    async def keep(self, held: Held) -> None:
        """Keep a claim in the place of the one before."""
        ...

    async def drop(self, step: str) -> None:
        """Forget the claim of a step."""
        ...


class OwnTokens:
    """Claims of this process only."""

    def __init__(self) -> None:
        self._held: dict[str, Held] = {}
        self._causes: tuple[list[str], int] = ([], 0)

    def get(self, step: str) -> Held | None:
        """Return the claim of a step; None where none is kept."""
        return self._held.get(step)

    def all(self) -> list[Held]:
        """Return the claims that are kept."""
        return list(self._held.values())

    async def keep(self, held: Held) -> None:
        """Keep a claim in the place of the one before."""
        self._held[held.step] = held

    async def drop(self, step: str) -> None:
        """Forget the claim of a step."""
        self._held.pop(step, None)

    def causes(self) -> tuple[list[str], int]:
        """Return what was read last, and when."""
        return self._causes

    async def keep_causes(self, event_ids: list[str], read_at_ms: int) -> None:
        """Put these in the place of those before."""
        self._causes = (event_ids, read_at_ms)


class HomeTokens:
    """Claims that the commands of an agent share through the home."""

    def __init__(self, home: Home, project: str, agent: str) -> None:
        folder = home.root / FOLDER / _file_name(project)
        self._home = home
        self._path = folder / f"{_file_name(agent)}.json"

    def get(self, step: str) -> Held | None:
        """Return the claim of a step; None where none is kept."""
        found = self._read()["claims"].get(step)
        return None if found is None else _held(found)

    def all(self) -> list[Held]:
        """Return the claims that are kept."""
        return [held for one in self._read()["claims"].values() if (held := _held(one))]

    async def keep(self, held: Held) -> None:
        """Keep a claim in the place of the one before."""
        await asyncio.to_thread(self._change_claims, held.step, asdict(held))

    async def drop(self, step: str) -> None:
        """Forget the claim of a step."""
        if step in self._read()["claims"]:
            await asyncio.to_thread(self._change_claims, step, None)

    def causes(self) -> tuple[list[str], int]:
        """Return what was read last, and when."""
        found = self._read()
        return [str(one) for one in found["read"]], int(found["read_at_ms"])

    async def keep_causes(self, event_ids: list[str], read_at_ms: int) -> None:
        """Put these in the place of those before."""
        await asyncio.to_thread(self._change, {"read": event_ids, "read_at_ms": read_at_ms})

    def _change_claims(self, step: str, held: dict[str, Any] | None) -> None:
        with self._alone():
            found = self._read()
            claims = {name: one for name, one in found["claims"].items() if name != step}
            self._write({**found, "claims": claims if held is None else {**claims, step: held}})

    def _change(self, changes: dict[str, Any]) -> None:
        with self._alone():
            self._write({**self._read(), **changes})

    def _read(self) -> dict[str, Any]:
        nothing: dict[str, Any] = {"claims": {}, "read": [], "read_at_ms": 0}
        try:
            found = read_json(self._path) or {}
        except (OSError, ValueError):  # half a disk, or somebody's editor: as good as nothing
            return nothing
        is_ours = isinstance(found, dict) and isinstance(found.get("claims", {}), dict)
        return nothing | found if is_ours else nothing

    def _write(self, value: dict[str, Any]) -> None:
        try:
            write_json(self._path, value)
        except OSError as error:
            _report(self._path, error)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other commands of the agent from changing the file meanwhile."""
        try:
            self._home.ensure()
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = os.open(self._path.with_suffix(".lock"), os.O_WRONLY | os.O_CREAT, 0o600)
        except OSError as error:
            _report(self._path, error)
            yield
            return
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def _held(found: dict[str, Any]) -> Held | None:
    try:
        return Held(**{name: found[name] for name in Held.__slots__})
    except (KeyError, TypeError):
        return None


def _file_name(name: str) -> str:
    """Return a name of a file for any name: readable where it is short."""
    token = escape_token(name)
    return token if len(token) <= MAX_FILE_NAME else sha256(name.encode()).hexdigest()


def _report(path: Path, error: OSError) -> None:
    logger.warning(
        "token not kept: give --token yourself",
        extra={"action": "token_not_kept", "path": str(path), "reason": str(error)},
    )
