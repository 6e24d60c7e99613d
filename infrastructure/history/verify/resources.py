"""Resources: each change starts from the state that the change before it left behind.

Pure. A resource is a workspace, a type and a name. Changes come in stream order; agents that take
turns on a resource may be stored in another order, so what does not fit yet waits in a bounded
place. A rename carries the chain over to the new name, a fork goes on from its parent's state. What
nothing is known of is taken as it is: it was there before the swarm came.
"""

from bisect import bisect_right
from dataclasses import dataclass, field
from operator import itemgetter
from typing import NamedTuple

from nervous_system.chains import StateChain
from nervous_system.schemas import SwarmEvent

Key = tuple[str, str, str | bytes]
"""Workspace, type and name, which is bytes where it is not UTF-8."""

MAX_WAITING = 16
"""Changes of one resource that wait for the one they start from."""
MAX_FORKS = 100
"""Workspaces that may lie over each other; more can only be a circle."""
_ESCAPE = "\\x"
"""Stands in the readable form of every name that is not UTF-8: which one is meant is not known."""


class Changed(NamedTuple):
    """What a chain needs to know of one change."""

    key: Key
    renamed_from: Key | None
    previous: str
    """Hex SHA-256 of the state before; empty: absent."""
    new: str
    sequence: int
    event_id: str
    is_numbered: bool
    """Its emitter numbers its events, so that one of them that is missing would show."""


class Fork(NamedTuple):
    """Where a workspace comes from."""

    parent: str
    parent_event_id: str
    sequence: int
    """Where it was created."""


@dataclass(frozen=True, slots=True)
class Break:
    """A change that does not start from the state before it."""

    change: Changed
    expected: str
    """The last valid state."""
    last_sequence: int
    """Of the change that left it behind."""
    fork: Fork | None
    """Where the expected state is a parent's: as it was when the workspace was created."""

    @property
    def resource(self) -> str:
        """The name, for people."""
        name = self.change.key[2]
        return name if isinstance(name, str) else name.decode("utf-8", "backslashreplace")


class _Chain(StateChain):
    """Where the chain of one resource stands."""

    __slots__ = ("fork", "sequence", "waiting")

    def __init__(self, resource: str, state_hash: str | None = None) -> None:
        super().__init__(resource, state_hash)
        self.sequence = 0
        self.fork: Fork | None = None
        self.waiting: list[Changed] = []


@dataclass(slots=True)
class ResourceChains:
    """Follows the resources of one stream: `follow` or `observe` in its order, then `finish`."""

    _chains: dict[Key, _Chain] = field(default_factory=dict)
    _forks: dict[str, Fork] = field(default_factory=dict)
    _parents: set[str] = field(default_factory=set)
    _past: dict[Key, list[tuple[int, str]]] = field(default_factory=dict)
    """States that resources of parents had, by the sequence of their change."""
    _breaks: list[Break] = field(default_factory=list)

    def follow(self, key: Key, previous: str, new: str, sequence: int) -> bool:
        """Take a change that is what the chain waits for; False: `observe` it.

        It is no rename. Nearly every change is such a one, and this is the short way for it.
        """
        chain = self._chains.get(key)
        if (
            chain is None
            or chain.state_hash != previous
            or chain.waiting
            or key[0] in self._parents
        ):
            return False
        chain.state_hash, chain.sequence = new, sequence
        return True

    def observe(self, change: Changed) -> None:
        """Take the next change of the stream."""
        chain = self._chain(change.key)
        if self._fits(chain, change):
            self._apply(chain, change)
            self._take_waiting(chain)
            return
        chain.waiting.append(change)
        if len(chain.waiting) > MAX_WAITING:
            self._break(chain)

    def create(self, workspace: str, fork: Fork) -> None:
        """Take note of a workspace that goes on from another one's state."""
        self._forks.setdefault(workspace, fork)
        self._parents.add(fork.parent)

    def finish(self) -> None:
        """Give up waiting: the last change has been observed."""
        for chain in self._chains.values():
            while chain.waiting:
                self._break(chain)

    def take_breaks(self) -> list[Break]:
        """Return the breaks found since the last call."""
        breaks, self._breaks = self._breaks, []
        return breaks

    def _chain(self, key: Key) -> _Chain:
        chain = self._chains.get(key)
        if chain is None:
            chain = self._chains[key] = _Chain(str(key[2]))
            fork = self._forks.get(key[0])
            if fork is not None:
                found = self._state_of((fork.parent, *key[1:]), fork.sequence, MAX_FORKS)
                if found is not None:
                    chain.sequence, chain.state_hash = found
                    chain.fork = fork
        return chain

    def _state_of(self, key: Key, sequence: int, depth: int) -> tuple[int, str] | None:
        """Return the state that a resource had at a place of the stream, and since when."""
        chain = self._chains.get(key)
        known = list(self._past.get(key, ()))
        if chain is not None and chain.sequence and chain.state_hash is not None:
            known.append((chain.sequence, chain.state_hash))
        at = bisect_right(known, sequence, key=itemgetter(0))
        if at:
            return known[at - 1]
        fork = self._forks.get(key[0])
        if fork is None or not depth:
            return None
        return self._state_of((fork.parent, *key[1:]), min(sequence, fork.sequence), depth - 1)

    def _fits(self, chain: _Chain, change: Changed) -> bool:
        source = change.renamed_from
        if source is None:
            return chain.follows(change.previous)
        if _ESCAPE in str(source[2]):
            return True
        # An agent may have written the new name before it removed the old one.
        old = self._chain(source)
        return old.follows(change.previous) or chain.state_hash == change.previous

    def _apply(self, chain: _Chain, change: Changed) -> None:
        source = change.renamed_from
        if source is not None and source != change.key and _ESCAPE not in str(source[2]):
            self._set(source, self._chain(source), "", change.sequence)
        self._set(change.key, chain, change.new, change.sequence)

    def _set(self, key: Key, chain: _Chain, state: str, sequence: int) -> None:
        if key[0] in self._parents and chain.sequence and chain.state_hash is not None:
            self._past.setdefault(key, []).append((chain.sequence, chain.state_hash))
        chain.state_hash, chain.sequence, chain.fork = state, sequence, None

    def _take_waiting(self, chain: _Chain) -> None:
        while fitting := next((one for one in chain.waiting if self._fits(chain, one)), None):
            chain.waiting.remove(fitting)
            self._apply(chain, fitting)

    def _break(self, chain: _Chain) -> None:
        """Report the change that waits longest, and go on from it."""
        change = chain.waiting.pop(0)
        before = chain if change.renamed_from is None else self._chain(change.renamed_from)
        self._breaks.append(Break(change, before.state_hash or "", before.sequence, before.fork))
        self._apply(chain, change)
        self._take_waiting(chain)


def observe_event(chains: ResourceChains, event: SwarmEvent, kind: str, sequence: int) -> None:
    """Take an event of a kind that says something of resources."""
    if kind == "workspace_created":
        created = event.workspace_created
        if created.parent_workspace_id:
            fork = Fork(created.parent_workspace_id, created.parent_event_id, sequence)
            chains.create(created.created_workspace_id, fork)
        return
    change = event.state_change
    workspace, target = event.workspace_id, change.target_type
    key = (workspace, target, change.resource_bytes or change.target_resource)
    previous, new, renamed = change.previous_state_hash, change.new_state_hash, change.renamed_from
    if not renamed and chains.follow(key, previous, new, sequence):
        return
    chains.observe(
        Changed(
            key,
            (workspace, target, renamed) if renamed else None,
            previous,
            new,
            sequence,
            event.event_id,
            is_numbered=bool(event.emitter_seq and event.emitter_id),
        )
    )
