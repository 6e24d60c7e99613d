"""What differs between two states of a workspace, in an order in which it can be replayed.

Pure. A file that went and one that came with the same content are one rename, where that cannot be
misunderstood. After every single difference the state is a tree that can exist: no file is a
directory at the same time.
"""

import stat
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cortex.engine.manifest import ManifestEntry

Manifest = Mapping[bytes, ManifestEntry]
"""State of a workspace: its files by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One file that is not what it was."""

    path: bytes
    before: ManifestEntry | None
    """The file before; under its former name where it was renamed; None: it did not exist."""
    after: ManifestEntry | None
    """None: it exists no longer."""

    @property
    def renamed_from(self) -> bytes | None:
        """The former name, where it was renamed."""
        is_renamed = self.before is not None and self.before.path != self.path
        return self.before.path if is_renamed and self.before is not None else None


def compare(before: Manifest, after: Manifest) -> list[Difference]:
    """Return what leads from one state to the other: deletions, renames, then the rest."""
    gone = [path for path in before if path not in after]
    new = [path for path in after if path not in before]
    renamed_from = _pair_renames(before, after, gone, new)
    former = set(renamed_from.values())
    deletions = [
        Difference(path=path, before=before[path], after=None)
        for path in sorted(gone)
        if path not in former
    ]
    renames = [
        Difference(path=path, before=before[old], after=after[path])
        for path, old in sorted(renamed_from.items())
    ]
    others = [
        Difference(path=path, before=before.get(path), after=after[path])
        for path in sorted(after)
        if path not in renamed_from and before.get(path) != after[path]
    ]
    return [*deletions, *renames, *others]


def apply(state: Manifest, differences: Iterable[Difference]) -> dict[bytes, ManifestEntry]:
    """Return the state after these differences."""
    result = dict(state)
    for difference in differences:
        if difference.before is not None:
            result.pop(difference.before.path, None)
        if difference.after is not None:
            result[difference.path] = difference.after
    return result


def _pair_renames(
    before: Manifest, after: Manifest, gone: Iterable[bytes], new: Iterable[bytes]
) -> dict[bytes, bytes]:
    """Return the former names of new files, by content; the same last part is preferred."""
    candidates: dict[tuple[str, bool], list[bytes]] = defaultdict(list)
    for path in sorted(gone):
        if _is_utf8(path):  # the event of a rename holds the former name as text
            candidates[_content(before[path])].append(path)
    directories = {ancestor for path in before for ancestor in _ancestors(path)}
    pairs: dict[bytes, bytes] = {}
    for path in sorted(new):
        entry = after[path]
        olds = candidates.get(_content(entry))
        if not entry.size_bytes or not olds or _is_blocked(path, before, directories):
            continue
        name = _last(path)
        old = next((one for one in olds if _last(one) == name), olds[0])
        olds.remove(old)
        pairs[path] = old
    return pairs


def _content(entry: ManifestEntry) -> tuple[str, bool]:
    """Return what must be equal for a rename: a link's target and a text are not the same."""
    return entry.digest, stat.S_ISLNK(entry.mode)


def _is_blocked(path: bytes, before: Manifest, directories: set[bytes]) -> bool:
    """Whether `path` needs a place where something else was, which may go only later."""
    return path in directories or any(ancestor in before for ancestor in _ancestors(path))


def _ancestors(path: bytes) -> Iterable[bytes]:
    parts = path.split(b"/")
    return (b"/".join(parts[:count]) for count in range(1, len(parts)))


def _last(path: bytes) -> bytes:
    return path.rpartition(b"/")[2]


def _is_utf8(path: bytes) -> bool:
    try:
        path.decode()
    except UnicodeDecodeError:
        return False
    return True
