"""Every error that the capturing side raises; the tree continues `nervous_system.errors`.

SwarmError
+- HistoryError
|  +- HistoryUnavailableError
|  +- HistorySchemaError
|  +- MissingSchemaError
|  +- HistoryDamagedError
|  +- HistoryAheadError
|  +- StreamChangedError
|  +- InsertRejectedError
|  |  +- StaleBatchError
|  +- QueryRefusedError
|  +- QueryFailedError
|  +- RepairMismatchError
|  +- ArchiveError
|  +- BackupError
+- StackError
   +- StackRunningError
   +- StackDownError
   +- ChildFailedError
   +- PortTakenError
"""

from nervous_system.errors import SwarmError


class HistoryError(SwarmError):
    """Root of what can go wrong between us and history."""


class HistoryUnavailableError(HistoryError):
    """History cannot be reached."""

    retryable = True

    def __init__(self, *, dsn: str, reason: str) -> None:
        self.dsn = dsn
        self.reason = reason
        super().__init__(f"no history at {dsn} ({reason}): start it with `swarm up`")


class HistorySchemaError(HistoryError):
    """The schema found is not one that this version can work with."""

    def __init__(self, *, table: str, expected: str, found: str) -> None:
        self.table = table
        self.expected = expected
        self.found = found
        super().__init__(
            f"schema of {table} is {found}, this version knows {expected}: update enchanted-swarm"
        )


class HistoryDamagedError(HistoryError):
    """What history holds is not what was written to it."""

    def __init__(self, *, table: str, expected: str, found: str) -> None:
        self.table = table
        self.expected = expected
        self.found = found
        super().__init__(
            f"{table} should hold {expected} and holds {found}: run `swarm verify`, which names "
            "what is damaged, and `swarm verify --repair`"
        )


class MissingSchemaError(HistoryError):
    """History answers, but has no tables yet; whoever sets it up makes them."""

    retryable = True

    def __init__(self, *, dsn: str) -> None:
        self.dsn = dsn
        super().__init__(
            f"no table swarm.events at {dsn}: the schema has not been brought up to date there, "
            "which `swarm up` does for embedded data and `python -m infrastructure.stack.setup` "
            "for a server"
        )


class HistoryAheadError(HistoryError):
    """History holds sequences that the stream never had: the two do not belong together."""

    def __init__(self, *, stream: str, history_sequence: int, stream_sequence: int) -> None:
        self.stream = stream
        self.history_sequence = history_sequence
        self.stream_sequence = stream_sequence
        super().__init__(
            f"history of {stream} is at {history_sequence}, the stream only at {stream_sequence}: "
            "this history belongs to another stream; "
            "point SWARM_CLICKHOUSE_DSN or SWARM_NATS_URL elsewhere"
        )


class StreamChangedError(HistoryError):
    """The stream is not the one that history was filled from, though it has its name."""

    def __init__(self, *, expected: str, found: str) -> None:
        self.expected = expected
        self.found = found
        super().__init__(
            f"history was filled from {expected}, the bus now has {found}: bring the old stream "
            "back, or give the new one a history of its own"
        )


class InsertRejectedError(HistoryError):
    """ClickHouse refused a block of rows."""

    def __init__(self, *, table: str, row_count: int, code: int, reason: str) -> None:
        self.table = table
        self.row_count = row_count
        self.code = code
        self.reason = reason
        super().__init__(f"insert of {row_count} rows into {table} refused: {reason} ({code})")


class StaleBatchError(InsertRejectedError):
    """Another ingestor has appended meanwhile: read the highest sequence, start from there."""

    retryable = True


class QueryRefusedError(HistoryError):
    """A user's query reaches for what readers may not reach."""

    def __init__(self, *, reason: str) -> None:
        self.reason = reason
        super().__init__(f"query refused: {reason}")


class QueryFailedError(HistoryError):
    """ClickHouse could not answer a query."""

    def __init__(self, *, code: int, reason: str) -> None:
        self.code = code
        self.reason = reason
        super().__init__(f"query failed: {reason} ({code})")


class ArchiveError(HistoryError):
    """A file is no archive of a history, or not the one that was exported."""

    def __init__(self, *, reason: str) -> None:
        self.reason = reason
        super().__init__(f"the archive cannot be used: {reason}")


class BackupError(HistoryError):
    """A backup was not made, or what was made does not hold what it must."""

    def __init__(self, *, directory: str, reason: str) -> None:
        self.directory = directory
        self.reason = reason
        super().__init__(f"no backup in {directory}: {reason}")


class StackError(SwarmError):
    """Root of what can go wrong with the embedded stack."""


class StackRunningError(StackError):
    """A stack of this home runs already."""

    def __init__(self, *, home: str, pid: int, nats_url: str) -> None:
        self.home = home
        self.pid = pid
        self.nats_url = nats_url
        super().__init__(f"the stack of {home} runs already (pid {pid}, bus {nats_url})")


class StackDownError(StackError):
    """No stack of this home runs."""

    retryable = True

    def __init__(self, *, home: str) -> None:
        self.home = home
        super().__init__(f"no stack runs for {home}: start it with `swarm up`")


class ChildFailedError(StackError):
    """A child process of the stack did not become ready."""

    def __init__(self, *, name: str, reason: str, log: str) -> None:
        self.name = name
        self.reason = reason
        self.log = log
        super().__init__(f"{name} did not start: {reason}; its log is {log}")


class PortTakenError(StackError):
    """A port that a process is to listen on cannot be had."""

    def __init__(self, *, host: str, port: int, variable: str, reason: str) -> None:
        self.host = host
        self.port = port
        self.variable = variable
        self.reason = reason
        super().__init__(
            f"cannot listen on {host}:{port} ({reason}): end what listens there, or name another "
            f"port in {variable}; 0 takes a free one"
        )


class RepairMismatchError(HistoryError):
    """A batch that was to be rebuilt no longer leads to its noted head; nothing was replaced."""

    def __init__(self, *, stream: str, sequence: int) -> None:
        self.stream = stream
        self.sequence = sequence
        super().__init__(
            f"messages of {stream} up to {sequence} do not lead to the head noted there: "
            "run `swarm verify` again"
        )
