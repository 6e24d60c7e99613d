"""Histories of a workspace for property tests: what happened, and what it led to."""

from dataclasses import dataclass, field
from hashlib import sha256

from hypothesis import strategies as st

from cortex.engine.recovery import FILE_SYSTEM, Change, Departure, Newest, Resource
from cortex.engine.strands import Strand

NAMES = [b"a", b"b", b"dir/c", b"\xff", b"\\xff"]
MODES = [0, 0o644, 0o755]
CONTENTS = [b"", b"one\n", b"one\ntwo\n", b"\x00\xff", b"last"]


@dataclass(slots=True)
class Tree:
    """What a work tree holds, and the changes that are recorded as it is edited."""

    files: dict[bytes, tuple[bytes, int]] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    workspace_id: str = "ws"

    def write(self, name: bytes, content: bytes, mode: int, *, renamed_from: bytes = b"") -> None:
        """Write a file; with `renamed_from`, as the new name of that one."""
        before = self.files.pop(renamed_from) if renamed_from else self.files.get(name)
        known = before[1] if before else 0
        self.files[name] = (content, mode or known)
        self._record(name, before, content, mode, renamed_from)

    def delete(self, name: bytes) -> None:
        self._record(name, self.files.pop(name), None, 0, b"")

    def _record(
        self,
        name: bytes,
        before: tuple[bytes, int] | None,
        after: bytes | None,
        mode: int,
        renamed_from: bytes,
    ) -> None:
        self.changes.append(
            Change(
                resource=Resource(FILE_SYSTEM, name),
                sequence=len(self.changes) + 1,
                event_id=f"event-{len(self.changes) + 1}",
                workspace_id=self.workspace_id,
                previous_digest=digest_of(before[0] if before else None),
                digest=digest_of(after),
                mode=mode,
                size_bytes=len(after or b""),
                is_restorable=True,
                renamed_from=renamed_from.decode("utf-8", "backslashreplace"),
            )
        )


def digest_of(content: bytes | None) -> str:
    return "" if content is None else sha256(content).hexdigest()


@st.composite
def edited_trees(draw: st.DrawFn, max_edits: int = 12) -> Tree:
    """A tree after some edits; contents are told apart, so that no two files are alike."""
    return draw(further_edits(Tree(), max_edits))


@st.composite
def further_edits(draw: st.DrawFn, start: Tree, max_edits: int = 8) -> Tree:
    """The tree of a fork, with the edits that were made in it; `start` stays as it is."""
    fork = Tree(files=dict(start.files), workspace_id=f"{start.workspace_id}-fork")
    for number in range(draw(st.integers(0, max_edits))):
        _edit_once(draw, fork, len(start.changes) + number)
    return fork


def _edit_once(draw: st.DrawFn, tree: Tree, number: int) -> None:
    name = draw(st.sampled_from(NAMES))
    content = draw(st.sampled_from(CONTENTS)) + str(number).encode()
    mode = draw(st.sampled_from(MODES))
    match draw(st.sampled_from(["write", "write", "delete", "rename"])):
        case "delete" if name in tree.files:
            tree.delete(name)
        case "rename" if others := sorted(set(tree.files) - {name}):
            tree.write(name, content, mode, renamed_from=draw(st.sampled_from(others)))
        case _:
            tree.write(name, content, mode)


def newest_of(changes: list[Change]) -> list[Newest]:
    """What history answers of these changes: the newest of each resource, and what goes with it."""
    found = []
    for resource in sorted({change.resource for change in changes}):
        own = [change for change in changes if change.resource == resource]
        telling = [change for change in own if change.mode or not change.digest]
        found.append(
            Newest(
                change=own[-1],
                known_mode=telling[-1].mode if telling else 0,
                mode_sequence=telling[-1].sequence if telling else 0,
                departures=tuple(departure_of(change) for change in own if change.renamed_from),
            )
        )
    return found


def departure_of(change: Change) -> Departure:
    return Departure(
        name=change.renamed_from,
        sequence=change.sequence,
        event_id=change.event_id,
        workspace_id=change.workspace_id,
        is_mode_known=bool(change.mode),
    )


def strands_of(changes: list[Change]) -> list[Strand]:
    """What history adds up of these changes."""
    found = []
    for resource in sorted({change.resource for change in changes}):
        own = [change for change in changes if change.resource == resource]
        found.append(
            Strand(
                resource=resource,
                first_digest=own[0].previous_digest,
                is_first_rename=bool(own[0].renamed_from),
                last_sequence=own[-1].sequence,
                last_digest=own[-1].digest,
                gain=sum(weight(one.digest) - weight(one.previous_digest) for one in own),
                departures={one.renamed_from: one.sequence for one in own if one.renamed_from},
            )
        )
    return found


def weight(digest: str) -> int:
    return int.from_bytes(bytes.fromhex(digest)[:8], "little")
