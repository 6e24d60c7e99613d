"""Names and messages of git, as the swarm writes and reads them. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from nervous_system.changes import SYMLINK_MODE

BRANCH_PREFIX = "swarm/"
RUN_TRAILER = "Swarm-Run"
EVENT_TRAILER = "Swarm-Event"
SUBMODULE_MODE = b"160000"
MAX_SUBJECT_CHARACTERS = 200
_OUTSIDE_A_NAME = re.compile(r"[^A-Za-z0-9_.-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_TRAILER = re.compile(rf"({RUN_TRAILER}|{EVENT_TRAILER}): (\S+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trailers:
    """What a commit says about where it comes from."""

    run_id: str
    """Empty: it is none of a run."""
    event_ids: tuple[str, ...]


def branch_name(run_id: str) -> str:
    """Return the branch of a run, `swarm/<run id>`; what no branch can hold becomes `-`."""
    name = _OUTSIDE_A_NAME.sub("-", run_id)
    name = re.sub(r"\.{2,}", "-", name).strip(".-")
    if name.endswith(".lock"):
        name = f"{name[:-5]}-lock"
    return f"{BRANCH_PREFIX}{name or 'run'}"


def work_tree_name(name: str) -> str:
    """Return `name` as that of a directory of its own."""
    return _OUTSIDE_A_NAME.sub("-", name).strip(".-") or "agent"


def format_message(subject: str, body: str, run_id: str, event_ids: Iterable[str]) -> str:
    """Return a commit's message: subject, body, and as last paragraph the trailers."""
    head = " ".join(_plain(subject).split())[:MAX_SUBJECT_CHARACTERS].strip() or "Change"
    text = _plain(body).strip()
    trailers = [f"{RUN_TRAILER}: {_plain(run_id)}"]
    trailers += [f"{EVENT_TRAILER}: {event_id}" for event_id in dict.fromkeys(event_ids)]
    paragraphs = [head, *([text] if text else []), "\n".join(trailers)]
    return "\n\n".join(paragraphs) + "\n"


def parse_trailers(message: str) -> Trailers:
    """Return the trailers of a message: only its last paragraph counts."""
    last = message.rstrip("\n").rpartition("\n\n")[2]
    found = [match.groups() for line in last.split("\n") if (match := _TRAILER.fullmatch(line))]
    runs = [value for name, value in found if name == RUN_TRAILER]
    events = [value for name, value in found if name == EVENT_TRAILER]
    return Trailers(run_id=runs[-1] if runs else "", event_ids=tuple(events))


def split_names(output: bytes) -> list[bytes]:
    """Return the names of a listing that ends each with a NUL."""
    return [name for name in output.split(b"\0") if name]


def parse_name_status(output: bytes) -> dict[bytes, bytes]:
    """Return the letter for each name in the output of `--name-status -z` without renames."""
    fields = split_names(output)
    return dict(zip(fields[1::2], fields[::2], strict=True))


def parse_submodules(tree: bytes) -> tuple[bytes, ...]:
    """Return the submodules' names in the output of `ls-tree -r -z`."""
    entries = (entry.partition(b"\t") for entry in split_names(tree))
    return tuple(path for facts, _, path in entries if facts.startswith(SUBMODULE_MODE))


def is_storable(path: bytes) -> bool:
    """Whether git takes a file of this name; of a repository inside another it takes nothing."""
    parts = path.lower().split(b"/")
    return bool(parts[-1]) and b".git" not in parts


def _plain(text: str) -> str:
    """Return `text` as git takes it: no control characters, no half characters."""
    unix = text.replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROL.sub(" ", unix).encode("utf-8", "replace").decode()


def parse_raw_diff(output: bytes) -> list[tuple[bytes, str | None, str | None, int]]:
    """Return path, blob before, blob after and mode after of each file in a raw diff.

    The format is that of `git diff-tree --raw -z`; entries that are no files are left out.
    """
    fields = output.split(b"\0")
    found = []
    for about, path in zip(fields[0::2], fields[1::2], strict=False):
        old_mode, new_mode, old, new, _ = about.lstrip(b":").split(b" ")
        if SUBMODULE_MODE in (old_mode, new_mode):
            continue
        before = None if set(old) <= set(b"0") else old.decode()
        after = None if set(new) <= set(b"0") else new.decode()
        found.append((path, before, after, _told_mode(new_mode) if after else 0))
    return found


def _told_mode(mode: bytes) -> int:
    """Return the mode as state changes tell it: permission bits, links by their type."""
    number = int(mode, 8)
    return number if number == SYMLINK_MODE else number & 0o777
