"""What a restore writes and what it cannot: decided before anything is touched.

Pure. A name that leads outside, a file where another file's folder has to be, content that is not
kept: each is a problem with its reason, and nothing is passed over.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from cortex.engine.recovery import Resource, ResourceState, State, present

DEFAULT_MODE = 0o644
"""Of files whose mode nobody has said."""
MAX_SMALL_BYTES = 256 * 1024
"""Files up to this size are fetched together, larger ones piece by piece."""
MAX_GROUP_BYTES = 8 * 1024 * 1024
MAX_GROUP_FILES = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedFile:
    """A file to write."""

    path: bytes
    digest: str
    mode: int
    """Permission bits, or the type of a symbolic link, whose content is its target."""
    size_bytes: int
    """As kept, which is what counts for fetching it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A file that cannot be restored."""

    path: bytes
    reason: str
    event_id: str = ""
    """Of the change that made it what it is; empty: it is as the workspace began."""

    @property
    def readable(self) -> str:
        """The path as text."""
        return self.path.decode("utf-8", "backslashreplace")


@dataclass(frozen=True, slots=True, kw_only=True)
class RestorePlan:
    """Everything that a restore will do."""

    files: Sequence[PlannedFile]
    problems: Sequence[Problem]
    other_resources: Sequence[Resource]
    """What is no file, such as variables: shown, not written."""

    @property
    def total(self) -> int:
        """Files that there were."""
        return len(self.files) + len(self.problems)


def wanted_digests(state: State) -> set[str]:
    """Return the digests of the contents that a restore needs."""
    return {found.digest for resource, found in present(state).items() if resource.is_file}


def build_plan(state: State, sizes: Mapping[str, int]) -> RestorePlan:
    """Return what to write of a state.

    Args:
        state: the state to restore.
        sizes: size in bytes of each content that is kept.
    """
    existing = present(state)
    paths = {resource.name for resource in existing if resource.is_file}
    files: list[PlannedFile] = []
    problems: list[Problem] = []
    for resource, found in existing.items():
        if not resource.is_file:
            continue
        reason = _problem(resource.name, found, paths, sizes)
        if reason:
            problems.append(Problem(path=resource.name, reason=reason, event_id=found.event_id))
            continue
        files.append(
            PlannedFile(
                path=resource.name,
                digest=found.digest,
                mode=found.mode or DEFAULT_MODE,
                size_bytes=sizes[found.digest],
            )
        )
    others = [resource for resource in existing if not resource.is_file]
    return RestorePlan(files=files, problems=problems, other_resources=others)


def groups(files: Sequence[PlannedFile]) -> Iterator[list[PlannedFile]]:
    """Yield files to fetch together: several small ones, or one large one."""
    group: list[PlannedFile] = []
    size = 0
    for file in files:
        if file.size_bytes > MAX_SMALL_BYTES:
            yield [file]
            continue
        if len(group) == MAX_GROUP_FILES or size + file.size_bytes > MAX_GROUP_BYTES:
            yield group
            group, size = [], 0
        group.append(file)
        size += file.size_bytes
    if group:
        yield group


def is_small(file: PlannedFile) -> bool:
    """Whether a file is fetched whole."""
    return file.size_bytes <= MAX_SMALL_BYTES


def unsafe_reason(path: bytes) -> str:
    """Return why a name cannot be one of a file within a directory; empty where it can."""
    parts = path.split(b"/")
    if not path or b"\0" in path:
        return "its name is no path"
    if path.startswith(b"/"):
        return "its name is absolute: it lies outside the workspace"
    if b".." in parts:
        return "its name leads out of the workspace"
    if b"" in parts or b"." in parts:
        return "its name is no path in its plain form"
    return ""


def _problem(
    path: bytes, found: ResourceState, paths: Collection[bytes], sizes: Mapping[str, int]
) -> str:
    if reason := unsafe_reason(path):
        return reason
    if any(parent in paths for parent in _parents(path)):
        return "one of its folders is a file at that moment"
    if not found.is_restorable:
        return "it is recorded as not restorable: its content was not kept as it was"
    if found.digest not in sizes:
        return f"its content {found.digest} is not kept"
    return ""


def _parents(path: bytes) -> Iterator[bytes]:
    parts = path.split(b"/")
    for length in range(1, len(parts)):
        yield b"/".join(parts[:length])
