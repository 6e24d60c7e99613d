"""Where a replay may republish to: nowhere that a copy would be taken for what happened."""

import re

EVENTS_PREFIX = "swarm.events"
_OWN_PREFIXES = (
    EVENTS_PREFIX,
    "swarm.coordination",
    "swarm.tasks",
    "swarm.spans",
    "swarm.checkpoints",
)
_TOKEN = re.compile(r"[^\s.*>\x00-\x1f\x7f]+")


def check_prefix(prefix: str) -> str:
    """Return `prefix` without a trailing dot or `.>`.

    Raises:
        ValueError: it is no subject, or events under it would be taken for the swarm's own.
    """
    bare = prefix.strip().removesuffix(">").removesuffix(".")
    if not bare or not all(_TOKEN.fullmatch(token) for token in bare.split(".")):
        raise ValueError(f"{prefix!r} is not a subject prefix such as swarm.replay")
    if bare.startswith(("$", "_INBOX")):
        raise ValueError(f"{prefix!r} belongs to the server: choose a prefix such as swarm.replay")
    for own in _OWN_PREFIXES:
        if f"{bare}.".startswith(f"{own}."):
            raise ValueError(
                f"{prefix!r} lies inside {own}.>, where a copy would be taken for what happened: "
                "choose a prefix such as swarm.replay"
            )
    if bare == "swarm":
        # swarm.<role>... is free today, but it is the root that our own streams share.
        raise ValueError(
            f"{prefix!r} is the root of our own streams: choose a prefix such as swarm.replay"
        )
    return bare


def republished_subject(subject: str, prefix: str) -> str:
    """Return the subject under `prefix` of what was stored under `subject`."""
    tail = subject.removeprefix(f"{EVENTS_PREFIX}.")
    return f"{prefix}.{tail}"
