"""What the API answers, one model per answer; `docs/reference/openapi.json` is made from them.

Names are snake_case, 64-bit integers are numbers, times are RFC 3339 in UTC with as many digits of
the second as history holds. The columns of an event are those of `swarm.events`.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from nervous_system.schemas import SwarmEvent

_JSON_TYPES: dict[type, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}


class Answer(BaseModel):
    """Base of all answers: what is not listed is not answered."""

    model_config = ConfigDict(
        extra="forbid", use_attribute_docstrings=True, populate_by_name=True, frozen=True
    )


class Failure(Answer):
    """What went wrong."""

    code: str
    """A word that programs can tell failures by, such as `not_found`; of SQL also ClickHouse's own
    number, as `clickhouse_62`."""
    message: str
    """What happened, in a sentence."""
    fix: str
    """What to do about it; empty where that is plain."""


class FailureAnswer(Answer):
    """Every answer with a status of 400 and above."""

    error: Failure


class Head(Answer):
    """Where the ledger of a stream stands."""

    stream: str
    stream_seq: int
    head: str
    """`stream@sequence:hex`, as `swarm verify --expect` takes it."""


class BusAccess(Answer):
    """How the browser reaches the bus: a user that can only read."""

    url: str
    """Websocket URL."""
    user: str
    password: str
    inbox_prefix: str
    """The only inboxes that this user may subscribe."""
    streams: list[str]


class Session(Answer):
    """What the dashboard has to know before anything else."""

    version: str
    home_name: str
    """Name of the directory that the swarm works in; empty where there is no home."""
    nats: BusAccess | None
    """None where this server knows no websocket for browsers."""
    jaeger_url: str | None
    ledger_heads: list[Head]


class Run(Answer):
    """One run of the swarm, or one session of a foreign agent."""

    run_id: str
    state: str
    """PLANNING, RUNNING, PAUSED, CANCELLING, SUCCEEDED, FAILED, CANCELLED; empty for a run that no
    orchestrator leads."""
    task: str
    """What it is about, in a sentence; empty where nobody said."""
    model: str
    branch: str
    parent_run_id: str | None
    started_at: str
    ended_at: str | None
    last_event_at: str
    events: int
    decisions: int
    changes: int
    errors: int
    """Signals of critical failures and failed calls of tools and models."""
    agents: int
    cost_microusd: int
    """Known price of its calls of models, in millionths of a US dollar."""
    input_tokens: int
    output_tokens: int
    harness: str | None
    """The coding agent whose session this is, such as `claude-code`."""


class RunPage(Answer):
    """Runs, the newest first."""

    items: list[Run]
    next_cursor: str | None
    """Where the next page starts; None: this is the last."""


class Task(Answer):
    """A task of a run in its newest state."""

    task_id: str
    title: str
    role: str
    state: str
    """PENDING, READY, RUNNING, REVIEW, DONE, REFUSED, FAILED, DEAD, CANCELLED."""
    worker: str
    attempt: int
    depends_on: list[str]
    reason: str
    started_at: str | None
    """When it was claimed first."""
    ended_at: str | None
    event_id: str
    """The event of its newest transition."""
    document: dict[str, Any]
    """The task as it was created."""
    result: dict[str, Any] | None
    """What came of it; None until it ends."""
    unresolved: list[str]
    """What its worker left undone of it when it handed in its work last, and why."""


class ModelUse(Answer):
    """What one model was used for in a run."""

    model: str
    calls: int
    input_tokens: int
    output_tokens: int
    cost_microusd: int


class RunWorkspace(Answer):
    """A workspace that a run changed or created."""

    workspace_id: str
    agent_id: str
    """Who created it, or changed it first; empty for what nobody named."""
    task_id: str
    """The task that it was made for; empty for none, and for the workspace of the run itself."""
    changes: int


class RunDetail(Run):
    """A run with its plan, outcome and costs."""

    tasks: list[Task]
    document: dict[str, Any]
    """What the run is about, as it was created; empty where nobody said."""
    outcome: dict[str, Any] | None
    """What came of it; None until it ends."""
    models: list[ModelUse]
    workspaces: list[RunWorkspace]
    """The workspaces that it changed or created, that of its own name first."""


class ReplayAgent(Answer):
    """An agent that rows name by its index."""

    id: str
    role: str


class ReplayResource(Answer):
    """A resource that rows name by its index."""

    workspace_id: str
    type: str
    name: str


class ReplayColumns(Answer):
    """One array per column, all of the same length; a row is one event."""

    seq: list[int]
    """Sequence in its stream."""
    stream: list[int]
    """Index into `streams`."""
    time_ms: list[int]
    """Milliseconds since 1970 by the emitters' clocks; never less than in the row before."""
    kind: list[int]
    """Index into `kinds`."""
    agent: list[int]
    """Index into `agents`."""
    flag: list[int]
    """1: a failure; 0: not."""
    status: list[int]
    """Index into `statuses`: of a signal its status, of a task or run its new state, of a call of a
    tool or model its outcome."""
    task: list[int]
    """Index into `tasks`; -1: none."""
    resource: list[int]
    """Index into `resources`; -1: it changes none."""
    hash: list[int]
    """Index into `hashes` of the content after the change; that of the empty text: it exists no
    longer, or this is no change."""
    size: list[int]
    """Bytes of the content after the change."""
    mode: list[int]
    """Permission bits after the change; 0: not known."""
    cause: list[int]
    """Row of the first event that led to this one; -1: none of these rows."""
    trace: list[int]
    """Index into `traces`."""


class Replay(Answer):
    """A run's history by columns, in the order of its streams, merged by time."""

    run_id: str
    rows: int
    streams: list[str]
    """Streams that rows name by their index."""
    agents: list[ReplayAgent]
    kinds: list[str]
    statuses: list[str]
    tasks: list[str]
    resources: list[ReplayResource]
    hashes: list[str]
    traces: list[str]
    columns: ReplayColumns
    end: list["Place"]
    """The last place of each stream; the next increment is asked for with `after=`."""


class Place(Answer):
    """A place of a stream."""

    stream: str
    seq: int


class Bucket(Answer):
    """What happened in one part of a stretch of time."""

    decisions: int
    changes: int
    errors: int
    events: int


class Density(Answer):
    """How much happened when: parts of equal length."""

    start: str = Field(alias="from")
    end: str = Field(alias="to")
    buckets: list[Bucket]


class Sample(Answer):
    """A value at a time."""

    t: int
    """Milliseconds since 1970."""
    v: int


class AgentDecision(Answer):
    """What an agent decided last."""

    event_id: str
    rationale: str
    """At most 500 characters of it."""
    at: str


class AgentSpan(Answer):
    """The span of an agent's newest event that was in one."""

    name: str
    """Empty while it goes on: spans arrive when they end."""
    trace_id: str
    span_id: str
    since: str
    """Time of the first event in it."""


class AgentError(Answer):
    """What an agent failed with, unless it was well again since."""

    detail: str
    at: str
    event_id: str


class Agent(Answer):
    """How an agent is doing."""

    agent_id: str
    role: str
    run_id: str
    """Of its newest event."""
    status: str
    """Of its newest signal; empty: it sent none."""
    first_seen: str
    last_seen: str
    events: int
    decisions: int
    changes: int
    failures: int
    cpu: list[Sample]
    """Percent of one core, of the last 60 signals."""
    memory: list[Sample]
    """Resident MiB, of the last 60 signals."""
    last_decision: AgentDecision | None
    current_span: AgentSpan | None
    error: AgentError | None


class AgentList(Answer):
    """Agents, those heard of last first."""

    items: list[Agent]


def _with_payload_columns(schema: dict[str, Any]) -> None:
    """Document the columns of all payloads; an event has those of its kind."""
    for field in SwarmEvent.DESCRIPTOR.oneofs_by_name["payload"].fields:
        columns = field.message_type.fields if field.message_type else ()
        for column in columns:
            schema["properties"].setdefault(column.name, _column_schema(column))
    schema["properties"]["undecodable_reason"] = {"type": "string"}
    schema.pop("additionalProperties", None)


def _column_schema(column: Any) -> dict[str, Any]:
    kinds = {
        column.CPPTYPE_STRING: str,
        column.CPPTYPE_BOOL: bool,
        column.CPPTYPE_FLOAT: float,
        column.CPPTYPE_DOUBLE: float,
    }
    one = {"type": _JSON_TYPES[kinds.get(column.cpp_type, int)]}
    return {"type": "array", "items": one} if column.is_repeated else one


class EventRow(Answer):
    """An event as `swarm events --json` shows it, with the columns of its own payload."""

    model_config = ConfigDict(extra="allow", json_schema_extra=_with_payload_columns)

    stream: str
    stream_seq: int
    event_id: str
    event_time: str
    subject: str
    trace_id: str
    span_id: str
    agent_role: str
    agent_id: str
    kind: str
    run_id: str
    workspace_id: str
    emitter_id: str
    emitter_seq: int
    caused_by: list[str]
    attributes: dict[str, str]


class ListedEvent(EventRow):
    """An event in a list, which may leave out the rest of very long texts."""

    cut: list[str]
    """Columns of which these are the first 20,000 characters; `/events/{event_id}` has all."""


class EventPage(Answer):
    """Events in the order asked for."""

    items: list[ListedEvent]
    next_cursor: str | None
    """Where the next page starts; None: this is the last."""


class EventLink(Answer):
    """An event that led to another, or followed from it."""

    event_id: str
    stream: str
    stream_seq: int
    event_time: str
    kind: str
    agent_role: str
    agent_id: str
    summary: str


class LedgerEntry(Answer):
    """The batch of the ledger that an event became history in."""

    stream: str
    prev_seq: int
    stream_seq: int
    event_count: int
    root: str
    head: str
    ingested_at: str


class EventDetail(EventRow):
    """An event with what led to it and what followed."""

    causes: list[EventLink]
    effects: list[EventLink]
    """The first 200."""
    redactions: dict[str, int]
    """How many secrets of which kind were taken out of its text."""
    is_authenticated: bool
    ledger: LedgerEntry | None


class SpanEvent(Answer):
    """A point in time within a span."""

    name: str
    at_ns: str
    """Nanoseconds since 1970, as text: too large for a double."""
    attributes: dict[str, str]


class Span(Answer):
    """An OpenTelemetry span."""

    span_id: str
    parent_span_id: str
    """Empty: the root of its trace."""
    name: str
    service: str
    kind: str
    """Unspecified, Internal, Server, Client, Producer, Consumer."""
    start_ns: str
    """Nanoseconds since 1970, as text: too large for a double."""
    duration_ns: int
    status: str
    """Unset, Ok, Error."""
    status_message: str
    attributes: dict[str, str]
    events: list[SpanEvent]


class Trace(Answer):
    """One trace: its spans and the events that happened in them, both in the order of time."""

    trace_id: str
    spans: list[Span]
    events: list[ListedEvent]
    truncated: bool
    """There are more spans or events than are listed."""
    jaeger_url: str | None
    """This trace in Jaeger, where one is configured."""


class Resource(Answer):
    """A resource as it is at a moment."""

    workspace_id: str
    type: str
    name: str
    digest: str
    """Hex SHA-256 of its content."""
    size_bytes: int
    mode: int
    changed_by: str | None
    """Agent of its newest change; None: it is as the workspace started."""
    event_id: str | None
    """The event of its newest change."""
    changes: int
    """How many changes of it were recorded up to there."""


class ResourceList(Answer):
    """What a workspace holds at a moment, by name."""

    items: list[Resource]
    truncated: bool
    """There are more than are listed."""
    workspace_id: str
    event_id: str | None
    """The moment's event."""


class ResourceChange(Answer):
    """A change of a resource."""

    event_id: str
    stream: str
    stream_seq: int
    at: str
    agent_id: str
    role: str
    run_id: str
    workspace_id: str
    previous: str
    """Digest before; empty: it did not exist."""
    new: str
    """Digest after; empty: it exists no longer."""
    mode: int
    size_bytes: int
    renamed_from: str
    diff_patch: str
    is_break: bool
    """It does not start from what was recorded before: something outside the swarm changed it."""
    rationale: str
    """Of the decision that it names as its cause; empty: it names none."""


class ResourceHistory(Answer):
    """The changes of a resource, in order."""

    items: list[ResourceChange]
    truncated: bool
    """There are older ones than are listed."""


class ResourceState(Answer):
    """A resource as `swarm show --json` shows it."""

    target_type: str
    resource: str
    resource_bytes: str | None = None
    """The name where it is not UTF-8, as base64."""
    digest: str
    mode: int
    size_bytes: int
    is_restorable: bool
    event_id: str | None
    stream_seq: int | None
    workspace_id: str


class ChainBreak(Answer):
    """A change that does not start from what was recorded before."""

    kind: Literal["chain_break"]
    target_type: str
    resource: str
    workspace_id: str
    expected_digest: str
    found_digest: str
    event_id: str
    stream_seq: int


class State(Answer):
    """Everything that a workspace held at a moment, as `swarm show --json` shows it."""

    event_id: str
    stream: str
    stream_seq: int
    workspace_id: str
    resources: list[ResourceState]
    breaks: list[ChainBreak]


class ResourceContent(ResourceState):
    """One resource with its content."""

    content: str
    """Text, or base64 where it is not UTF-8."""


class DiffSide(Answer):
    """A resource on one side of a comparison."""

    digest: str
    mode: int
    size_bytes: int


class Difference(Answer):
    """What differs in one resource, as `swarm diff --json` shows it."""

    target_type: str
    resource: str
    change: Literal["added", "deleted", "modified", "mode"]
    before: DiffSide | None
    after: DiffSide | None
    patch: str | None
    """Unified diff; None where it is binary, larger than 4 MiB or not kept."""


class WorkspaceStart(Answer):
    """What a workspace started from."""

    workspace_id: str
    base_commit: str
    manifest_digest: str


class WhyCause(EventRow):
    """An event that led to a change; depth 0 is the nearest."""

    depth: int


class Why(Answer):
    """The reason for a line of a resource, as `swarm why --json` prints it."""

    target_type: str
    resource: str
    workspace_id: str
    line: int | None
    text: str | None
    written_by: str
    """`change`, `start` or `outside`."""
    is_certain: bool
    change: EventRow | None
    seen_by_event: str | None
    start: WorkspaceStart | None
    decision: EventRow | None
    is_decision_recorded: bool | None
    """False: the decision is only the last one before the change."""
    rejected_alternatives: list[str]
    memory_ids: list[str]
    causes: list[WhyCause]


class Ledger(Answer):
    """The ledgers of all streams."""

    heads: list[Head]
    links: list[LedgerEntry]
    """The newest batches of each stream, newest first."""
    is_linked: bool
    """Every batch starts from the root of the one before. `swarm verify` proves much more."""
    broken: list[LedgerEntry]
    """Batches that do not start from the root before; the first 20."""
    batches: int


class StreamHealth(Answer):
    """A stream of the bus, and how far history has got in it."""

    name: str
    messages: int | None
    """None here and below: the bus cannot be asked."""
    bytes: int | None
    last_seq: int | None
    history_seq: int


class ProcessHealth(Answer):
    """A process of the embedded stack."""

    name: str
    pid: int
    rss_bytes: int | None
    """None: it runs no longer, or not here."""


class DiskHealth(Answer):
    """The disk that the home lies on."""

    free_bytes: int
    total_bytes: int


class Health(Answer):
    """How the recorder is doing."""

    ready: bool
    """History answers and the bus answers."""
    lag_events: int | None
    """Messages that are in a stream and not in history yet; None: the bus cannot be asked."""
    lag_seconds: float | None
    """For how long history has been behind; 0 when it is not."""
    streams: list[StreamHealth]
    undecodable: int
    """Messages that are no events (`swarm quarantine ls`)."""
    processes: list[ProcessHealth]
    disk: DiskHealth | None
    """None where there is no home."""


class SqlQuestion(Answer):
    """A query of a reader."""

    query: str = Field(min_length=1, max_length=262_144)
    max_rows: int = Field(default=1_000, ge=1, le=10_000)


class SqlColumn(Answer):
    """A column of a result."""

    name: str
    type: str
    """ClickHouse's type."""


class SqlResult(Answer):
    """The rows of a query."""

    columns: list[SqlColumn]
    rows: list[list[Any]]
    elapsed_ms: float
    truncated: bool
    """There are more rows than were asked for, or than come to 16 MiB."""
