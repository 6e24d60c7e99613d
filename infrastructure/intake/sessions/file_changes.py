"""Changes of files as transcripts tell them: contents where they can be known, digests always.

Pure. A transcript seldom holds a whole file, but often enough to know it: its content before, or
that of an earlier change, and what was replaced. Where it does not, a state is named by a digest
that stands for it and that no content has.
"""

import posixpath
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from infrastructure.intake.sessions.patches import apply_patch, with_header
from infrastructure.intake.sessions.records import Edited
from nervous_system.changes import FILE_SYSTEM, MAX_PATCH_BYTES, resource_name, unified_diff
from nervous_system.payloads import Payload, state_change

MAX_KNOWN_CHARACTERS: Final = 16 * 1024 * 1024
"""Of contents that are remembered for the next change."""
MAX_CONTENT_BYTES: Final = 4 * 1024 * 1024
"""Of a content that is kept."""
UNKNOWN_PATH = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChange:
    """A change, ready to be told."""

    path: str
    previous: str
    new: str
    patch: str
    size_bytes: int
    moved_from: str
    contents: tuple[bytes, ...]
    states: str
    """Which of its states only a stand-in names: empty, `before`, `after` or both."""

    def build(self) -> Payload:
        """Return the payload."""
        name = resource_name(self.path)
        return state_change(
            target_type=FILE_SYSTEM,
            target_resource=name.readable,
            resource_bytes=name.raw,
            previous_state_hash=self.previous,
            new_state_hash=self.new,
            diff_patch=self.patch,
            size_bytes=self.size_bytes,
            renamed_from=self.moved_from,
            # What a transcript says of a file may lack what was taken out of it.
            is_reversible=False,
        )


class FileStates:
    """The files of one session as far as its transcript tells."""

    def __init__(self) -> None:
        self._contents: dict[str, str] = {}
        self._digests: dict[str, str] = {}
        self._known_characters = 0

    def change(self, edited: Edited, directory: str) -> FileChange:
        """Return a change of a file, whose present content is remembered.

        Args:
            edited: What the transcript says.
            directory: Where the agent works; files below it are named from there.
        """
        path = relative_path(edited.path, directory)
        origin = relative_path(edited.moved_from, directory) if edited.moved_from else ""
        before = self._before(edited, origin or path)
        after = self._after(edited, before)
        previous, is_guessed = self._previous(edited, origin or path, before)
        new, is_stand_in = _new_digest(edited, path, previous, after)
        self._remember(path, after, new)
        if origin:
            self._remember(origin, None, "")
        return FileChange(
            path=path,
            previous=previous,
            new=new,
            patch=_patch(edited, path, before, after),
            size_bytes=len(after.encode("utf-8", "replace")) if after is not None else 0,
            moved_from=origin,
            contents=_contents(before, after),
            states=",".join(
                [*(["before"] if is_guessed else []), *(["after"] if is_stand_in else [])]
            ),
        )

    def _before(self, edited: Edited, path: str) -> str | None:
        if edited.before is not None or edited.is_new:
            return edited.before
        return self._contents.get(path)

    def _after(self, edited: Edited, before: str | None) -> str | None:
        if edited.after is not None or edited.is_gone:
            return edited.after
        if not edited.patch:
            return before if edited.moved_from else None
        return apply_patch(before, edited.patch) if before is not None else None

    def _previous(self, edited: Edited, path: str, before: str | None) -> tuple[str, bool]:
        if edited.is_new:
            return "", False
        if before is not None:
            return _digest(before), False
        if path in self._digests:
            return self._digests[path], False
        if edited.after is not None:
            return "", True  # written as a whole, nobody says over what
        return _stand_in("before", path, edited.patch), True

    def _remember(self, path: str, content: str | None, digest: str) -> None:
        self._digests[path] = digest
        self._known_characters -= len(self._contents.pop(path, ""))
        if content is None:
            return
        self._contents[path] = content
        self._known_characters += len(content)
        while self._known_characters > MAX_KNOWN_CHARACTERS:
            oldest = next(iter(self._contents))
            self._known_characters -= len(self._contents.pop(oldest))


def relative_path(path: str, directory: str) -> str:
    """Return a file's name from the directory that the agent works in, where it lies below it."""
    if not path:
        return UNKNOWN_PATH
    if directory and posixpath.isabs(path):
        root = posixpath.normpath(directory)
        full = posixpath.normpath(path)
        if full.startswith(f"{root}/"):
            return full[len(root) + 1 :]
    return path


def _new_digest(edited: Edited, path: str, previous: str, after: str | None) -> tuple[str, bool]:
    if edited.is_gone:
        return "", False
    if after is not None:
        return _digest(after), False
    return _stand_in(previous, path, edited.patch or edited.call_id), True


def _patch(edited: Edited, path: str, before: str | None, after: str | None) -> str:
    patch = edited.patch
    if not patch and (before is not None or edited.is_new) and (after is not None):
        patch = unified_diff(
            path, path, None if edited.is_new else _bytes(before or ""), _bytes(after)
        )
    elif not patch and before is not None and edited.is_gone:
        patch = unified_diff(path, path, _bytes(before), None)
    patch = with_header(path, patch, is_new=edited.is_new, is_gone=edited.is_gone)
    return patch if len(patch.encode("utf-8", "replace")) <= MAX_PATCH_BYTES else ""


def _contents(*found: str | None) -> tuple[bytes, ...]:
    kept = [_bytes(one) for one in found if one is not None]
    return tuple(one for one in kept if len(one) <= MAX_CONTENT_BYTES)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _digest(text: str) -> str:
    return sha256(_bytes(text)).hexdigest()


def _stand_in(*facts: str) -> str:
    return sha256("\0".join(("stand-in", *facts)).encode("utf-8", "surrogatepass")).hexdigest()
