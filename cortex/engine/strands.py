"""Which chains of states may be broken, told from their ends and sums alone. Pure.

In a whole chain every state but the last is the one before a change. So what its changes made, less
what they started from, is its last state less its first: numbers that history adds up without
handing out the changes. Renames tie the chains of several names together; they are judged as one.
Sums cannot tell where a chain is broken, and may suspect one that is whole: `breaks` decides.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from cortex.engine.recovery import ABSENT, Resource, State, is_ambiguous

WEIGHED_DIGITS = 16
"""Of a digest, as history weighs it."""
_WRAP = 1 << 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Strand:
    """The changes of one resource, added up."""

    resource: Resource
    first_digest: str
    """What its first change started from."""
    is_first_rename: bool
    """Its first change took the content of another name, so that digest is the other's."""
    last_sequence: int
    last_digest: str
    gain: int
    """Weights of what its changes made less those of what they started from, modulo 2**64."""
    departures: Mapping[str, int] = field(default_factory=dict)
    """Readable names whose content it took, with the place of the newest time."""


def suspects(strands: Sequence[Strand], start: State, *, is_complete: bool) -> set[str]:
    """Return the readable names among which every broken chain is.

    Args:
        strands: of all resources of a workspace that were changed.
        start: state before the changes.
        is_complete: `start` holds everything; else the first change of what it does not mention
            is taken as it is.
    """
    found: set[str] = set()
    for group in _tied(strands):
        if not _is_whole(group, start, is_complete=is_complete):
            found |= {one.resource.readable for one in group}
            found |= {name for _, name in _left(group)}
    return found


_Name = tuple[str, str]
"""Type and readable name: all that a rename says of where it took its content from."""


def _is_whole(group: Sequence[Strand], start: State, *, is_complete: bool) -> bool:
    left = _left(group)
    if any(is_ambiguous(name) for _, name in left):
        return False  # which one went away is not said
    own = {one.resource: one for one in group}
    gone = {Resource(kind, name.encode()): at for (kind, name), at in left.items()}
    balance = -sum(one.gain for one in group)
    for resource in own.keys() | gone.keys():
        before = _start_of(resource, own.get(resource), start, is_complete=is_complete)
        after = _end_of(own.get(resource), gone.get(resource, 0), before)
        weights = (_weight(before), _weight(after))
        if None in weights:
            return False
        balance += (weights[1] or 0) - (weights[0] or 0)
    return balance % _WRAP == 0


def _start_of(
    resource: Resource, own: Strand | None, start: State, *, is_complete: bool
) -> str | None:
    """Return the digest that a resource began with; None: it cannot be told."""
    if resource in start or is_complete:
        return start.get(resource, ABSENT).digest
    if own is None:
        return None
    return "" if own.is_first_rename else own.first_digest


def _end_of(own: Strand | None, left_at: int, before: str | None) -> str | None:
    if own is None or left_at > own.last_sequence:
        return "" if left_at else before
    return own.last_digest


def _weight(digest: str | None) -> int | None:
    """Return what history adds up of a digest; None: it is none."""
    if digest is None:
        return None
    try:
        return int.from_bytes(bytes.fromhex(digest[:WEIGHED_DIGITS]), "little")
    except ValueError:
        return None


def _left(group: Iterable[Strand]) -> dict[_Name, int]:
    """Return the names that went away, with the place of the newest time."""
    found: dict[_Name, int] = {}
    for strand in group:
        for name, sequence in strand.departures.items():
            if name != strand.resource.readable:
                key = (strand.resource.target_type, name)
                found[key] = max(sequence, found.get(key, 0))
    return found


def _tied(strands: Iterable[Strand]) -> Iterable[list[Strand]]:
    """Return groups of strands that no rename leads out of, by readable names."""
    leader: dict[_Name, _Name] = {}

    def lead(name: _Name) -> _Name:
        while (above := leader.setdefault(name, name)) != name:
            leader[name] = leader[above]  # shortens the way for those who come after
            name = above
        return name

    ordered = list(strands)
    for strand in ordered:
        own = lead((strand.resource.target_type, strand.resource.readable))
        for name in strand.departures:
            leader[lead((strand.resource.target_type, name))] = lead(own)
    groups: dict[_Name, list[Strand]] = {}
    for strand in ordered:
        key = lead((strand.resource.target_type, strand.resource.readable))
        groups.setdefault(key, []).append(strand)
    return groups.values()
