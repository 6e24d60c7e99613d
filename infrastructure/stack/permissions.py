"""Who may do what on the bus: one user per duty, everything else denied.

    operator    everything of ours: declares streams, publishes as anybody; the owner's commands
    ingestor    reads the streams and appends ledger heads; cannot publish an event
    dashboard   only reads
    agent       publishes events under its own agent tokens, keeps content and notes, reads the
                stream, takes tasks from the queue
    publisher   publishes events without an agent token (stored as not authenticated), no more

Checkpoints cannot be deleted or purged by anybody: the stream itself denies it. Subjects here are
JetStream's API subjects; a user without the one for a call gets no answer, and the server reports
the violation on its connection.

Each user has inboxes of its own, `_INBOX_<user>.>`, which nobody else can subscribe. The default
prefix of NATS clients is for those who are told nothing else: `publisher`, agents, and the operator
with tools that are not ours. What arrives there, these users can see of each other.

The server answers a request on whatever reply subject it names, and no rule of its can forbid that;
`docs/delivery.md` says what follows from it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from nervous_system.comms.inbox import DEFAULT_PREFIX, user_inbox
from nervous_system.comms.streams import (
    CHECKPOINTS_STREAM,
    CONTENT_BUCKET,
    COORDINATION_STREAM,
    EVENTS_STREAM,
    MEMORY_BUCKET,
    SPANS_STREAM,
    TASKS_STREAM,
)

CONTENT_STREAM = f"OBJ_{CONTENT_BUCKET}"
MEMORY_STREAM = f"KV_{MEMORY_BUCKET}"

SHARED_INBOX = f"{DEFAULT_PREFIX}.>"
DUTIES = ("operator", "ingestor", "dashboard", "publisher")
"""Users that every bus has, beside those of its agents."""
ANY_AGENT: Mapping[str, Sequence[str]] = {"agent": ("*",)}
"""The default: one user for all agents, which may speak for any."""
USER_NAMES = (*DUTIES, *ANY_AGENT)
"""The users of a bus with default agents."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NatsUser:
    """A user of the bus and the subjects that it may use; an empty tuple allows nothing."""

    name: str
    password: str = field(repr=False)
    publish: tuple[str, ...]
    subscribe: tuple[str, ...]


def swarm_users(
    passwords: Mapping[str, str], agents: Mapping[str, Sequence[str]] = ANY_AGENT
) -> tuple[NatsUser, ...]:
    """Return a user per duty, and those of agents, with their passwords.

    Args:
        passwords: User name to password.
        agents: Name of each user of agents to the escaped agent ids that it may speak for; `*` is
            any.
    """
    rules = {
        "operator": (operator_publish(), (*_OPERATOR_HEARS, SHARED_INBOX)),
        "ingestor": (ingestor_publish(), ()),
        "dashboard": (dashboard_publish(), ("swarm.events.>", "swarm.coordination.>")),
        "publisher": (("swarm.events.*.*",), (SHARED_INBOX,)),
        **{name: (agent_publish(tokens), (SHARED_INBOX,)) for name, tokens in agents.items()},
    }
    return tuple(
        NatsUser(
            name=name,
            password=passwords[name],
            publish=publish,
            subscribe=(*subscribe, f"{user_inbox(name)}.>"),
        )
        for name, (publish, subscribe) in rules.items()
    )


_OPERATOR_HEARS = ("swarm.>", "$O.>", "$KV.>", "$JS.EVENT.>")


def operator_publish() -> tuple[str, ...]:
    """Everything below our own prefix and the JetStream API of the one account."""
    # snapshots of streams larger than the server's window need their flow control
    flow = ("$JS.ACK.>", "$JS.FC.>", "$JS.SNAPSHOT.>")
    return (
        "swarm.>",
        "$JS.API.>",
        *flow,
        "$O.>",
        "$KV.>",
        SHARED_INBOX,
        f"{user_inbox('operator')}.>",
    )


_INGESTED = (
    EVENTS_STREAM,
    COORDINATION_STREAM,
    SPANS_STREAM,
    CHECKPOINTS_STREAM,
    CONTENT_STREAM,
)


def ingestor_publish() -> tuple[str, ...]:
    """Read what goes into history, append heads, fetch content and remove what history has."""
    return (
        *(subject for stream in _INGESTED for subject in (*_read(stream), *_end_consumers(stream))),
        *(_direct(EVENTS_STREAM) + _direct(CHECKPOINTS_STREAM) + _direct(CONTENT_STREAM)),
        f"$JS.API.STREAM.PURGE.{CONTENT_STREAM}",
        f"$JS.API.STREAM.MSG.DELETE.{CONTENT_STREAM}",
        f"$O.{CONTENT_BUCKET}.M.>",
        "swarm.checkpoints.>",
        "swarm.spans.>",
    )


def dashboard_publish() -> tuple[str, ...]:
    """Read events and coordination; every publish is an API request for reading."""
    return (*_read(EVENTS_STREAM), *_read(COORDINATION_STREAM))


def agent_publish(tokens: Sequence[str]) -> tuple[str, ...]:
    """Publish events and coordination under the given tokens; read; keep and fetch content."""
    return (
        *(f"swarm.events.*.*.{token}" for token in tokens),
        *(f"swarm.coordination.*.*.{token}" for token in tokens),
        *(f"swarm.coordination.*.*.*.{token}" for token in tokens),
        *_read(EVENTS_STREAM),
        *_read(COORDINATION_STREAM),
        *_read(CONTENT_STREAM),
        *_subscribe_durably(EVENTS_STREAM, tokens),
        *_subscribe_durably(COORDINATION_STREAM, tokens),
        *_work(TASKS_STREAM),
        f"$O.{CONTENT_BUCKET}.C.>",
        f"$O.{CONTENT_BUCKET}.M.>",
        *_keep_in_mind(tokens),
    )


def _keep_in_mind(tokens: Sequence[str]) -> tuple[str, ...]:
    """Write and read back what agents of these tokens note, a key for each run and agent."""
    keys = (f"$KV.{MEMORY_BUCKET}.*.{token.replace('%', '=')}" for token in tokens)
    api = (f"$JS.API.STREAM.{call}.{MEMORY_STREAM}" for call in ("INFO", "MSG.GET"))
    return (*keys, *api)


def _read(stream: str) -> tuple[str, ...]:
    """API subjects to look up, fetch from and consume one stream, without acks.

    Clients name their consumers at random and cannot list those of others, so that these cannot
    be guessed.
    """
    return (
        "$JS.API.STREAM.NAMES",
        f"$JS.API.STREAM.INFO.{stream}",
        f"$JS.API.STREAM.MSG.GET.{stream}",
        f"$JS.API.CONSUMER.CREATE.{stream}",
        f"$JS.API.CONSUMER.CREATE.{stream}.>",
        f"$JS.API.CONSUMER.INFO.{stream}.*",
        f"$JS.API.CONSUMER.MSG.NEXT.{stream}.*",
        f"$JS.FC.{stream}.>",
    )


def _subscribe_durably(stream: str, names: Sequence[str]) -> tuple[str, ...]:
    """API subjects to make durable consumers of these names, and to ack what they deliver."""
    made = (f"$JS.API.CONSUMER.DURABLE.CREATE.{stream}.{name}" for name in names)
    return (*made, *(f"$JS.ACK.{stream}.{name}.>" for name in names))


def _work(stream: str) -> tuple[str, ...]:
    """API subjects to take messages of a work queue and to say what has become of them.

    The consumers belong to roles, not to agents: all agents of a bus share its queue, and one that
    takes a task it should not can only write what it does with it under its own token.
    """
    return (
        f"$JS.API.CONSUMER.DURABLE.CREATE.{stream}.*",
        f"$JS.API.CONSUMER.INFO.{stream}.*",
        f"$JS.API.CONSUMER.MSG.NEXT.{stream}.*",
        f"$JS.ACK.{stream}.>",
    )


def _end_consumers(stream: str) -> tuple[str, ...]:
    """Delete consumers; whoever may do that can end those of others, whose names it knows."""
    return (f"$JS.API.CONSUMER.DELETE.{stream}.*",)


def _direct(stream: str) -> tuple[str, ...]:
    """Direct gets, for users who are trusted anyway.

    The server sends the answer of a direct get to whatever reply subject the request names, without
    asking whether the user may publish there: with it an agent could have its own bytes stored
    under another agent's subject. `STREAM.MSG.GET` wraps its answer in JSON, which is no event.
    """
    return (f"$JS.API.DIRECT.GET.{stream}", f"$JS.API.DIRECT.GET.{stream}.>")
