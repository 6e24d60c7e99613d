"""Says of breaks in the chains of resources what they are: a problem, a doubt, or none after all.

Blocking. A change whose emitter numbers its events and starts from another state than the last
recorded one is a problem: something outside the swarm, or somebody who hides, has changed the
resource. Where events are not numbered, one of them may just be missing, which cannot be seen.
"""

from infrastructure.errors import QueryFailedError
from infrastructure.history.verify.findings import (
    Findings,
    Problem,
    ProblemKind,
    Unproven,
    UnprovenKind,
)
from infrastructure.history.verify.resources import Break
from infrastructure.history.verify.store import VerifyStore, is_damage
from infrastructure.history.verify.stretch import describe

MAX_LISTED = 100
"""Breaks that cannot be proven which are listed one by one."""


class BreakReport:
    """Reports the breaks of one stream; `report` as they are found, then `finish`."""

    def __init__(self, store: VerifyStore, stream: str, findings: Findings) -> None:
        self._store = store
        self._stream = stream
        self._findings = findings
        self._doubts = 0
        self._last_doubt = 0

    def report(self, breaks: list[Break]) -> None:
        """Take breaks, in the order in which they were found."""
        for found in breaks:
            if self._is_as_forked(found):
                continue
            if found.change.is_numbered:
                self._report(found)
            else:
                self._doubt(found)

    def finish(self) -> None:
        """Say how many breaks were not listed."""
        if self._doubts > MAX_LISTED:
            detail = f"{self._doubts - MAX_LISTED} more changes start from no recorded state"
            self._add_doubt(self._last_doubt, detail)

    def _is_as_forked(self, found: Break) -> bool:
        """Whether the workspace was forked at an earlier event, at which all is as it should be."""
        fork, (_, kind, name) = found.fork, found.change.key
        if fork is None or not fork.parent_event_id or isinstance(name, bytes):
            return False
        try:
            state = self._store.state_at_event(
                self._stream, fork.parent_event_id, (fork.parent, kind, name)
            )
        except QueryFailedError as error:
            if not is_damage(error):
                raise
            return True
        return state is None or state == found.change.previous

    def _report(self, found: Break) -> None:
        change, kind = found.change, ProblemKind.RESOURCE_CHAIN
        has_room = self._findings.has_room(kind)
        self._findings.report(
            Problem(
                kind=kind,
                stream=self._stream,
                sequence=change.sequence,
                event_id=change.event_id,
                resource=found.resource,
                last_valid_sequence=found.last_sequence,
                last_valid_event_id=self._event_id(found.last_sequence) if has_room else None,
                detail=_detail(found),
            )
        )

    def _doubt(self, found: Break) -> None:
        self._doubts += 1
        self._last_doubt = found.change.sequence
        if self._doubts <= MAX_LISTED:
            detail = f"{found.resource}: {_detail(found)}; without numbers one may be missing"
            self._add_doubt(found.change.sequence, detail)

    def _add_doubt(self, sequence: int, detail: str) -> None:
        kind = UnprovenKind.RESOURCE_CHAIN
        self._findings.doubt(
            Unproven(kind=kind, stream=self._stream, sequence=sequence, detail=detail)
        )

    def _event_id(self, sequence: int) -> str | None:
        try:
            _, _, raws = self._store.messages(self._stream, sequence, sequence, 1)
        except QueryFailedError as error:
            if not is_damage(error):
                raise
            return None
        return describe(raws[0])[0] if raws else None


def _detail(found: Break) -> str:
    where = f" of workspace {found.change.key[0]}" if found.change.key[0] else ""
    return (
        f"starts from state {found.change.previous or 'absent'}{where}, the last valid one is "
        f"{found.expected or 'absent'} at {found.last_sequence}"
    )
