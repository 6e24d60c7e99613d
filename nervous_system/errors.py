"""Every error that the nervous system raises.

    SwarmError
    +- ConfigError(ValueError)
    +- EventError
    |  +- InvalidEventError
    |  +- EventDecodeError
    |  +- UnknownPayloadError
    |  +- ChainBrokenError
    +- BusError
       +- BusClosedError(RuntimeError)
       +- BusUnavailableError
       +- PublishTimeoutError
       +- PublishRejectedError
       +- StreamMismatchError
       +- ConsumerLostError
       +- SpoolFullError
       +- ContentMissingError
       +- WrongRevisionError
       +- WrongSequenceError

Facts are keyword-only attributes and the message is made from them: what happened to which thing,
then what to do.
`retryable` is decided by the class. Driver exceptions stay in `__cause__`.
"""

from collections.abc import Mapping


class SwarmError(Exception):
    """Root of all our errors."""

    retryable = False
    """Whether doing the same again later may succeed."""


class ConfigError(SwarmError, ValueError):
    """A setting cannot be used."""

    def __init__(self, *, variable: str, given: str, expected: str, fix: str) -> None:
        self.variable = variable
        self.given = given
        self.expected = expected
        self.fix = fix
        super().__init__(f"{variable} is {given!r}, expected {expected}: {fix}")


class EventError(SwarmError):
    """Root of what can be wrong with one event."""


class InvalidEventError(EventError):
    """An event was refused before publishing; nothing was numbered or sent."""

    def __init__(self, *, field: str, reason: str) -> None:
        self.field = field
        self.reason = reason
        super().__init__(f"event field {field}: {reason}")


class EventDecodeError(EventError):
    """Bytes that are not a valid event."""

    def __init__(
        self, *, reason: str, size_bytes: int, subject: str = "", sequence: int | None = None
    ) -> None:
        self.reason = reason
        self.size_bytes = size_bytes
        self.subject = subject
        self.sequence = sequence
        where = f" at {subject}#{sequence}" if sequence is not None else ""
        super().__init__(f"{size_bytes} bytes{where} are not a SwarmEvent: {reason}")


class UnknownPayloadError(EventError):
    """An event carries a payload kind of a newer schema; its bytes are kept, but not understood."""

    def __init__(self, *, event_id: str, field_number: int) -> None:
        self.event_id = event_id
        self.field_number = field_number
        super().__init__(
            f"event {event_id} carries payload number {field_number}, unknown here: "
            "update enchanted-swarm"
        )


class ChainBrokenError(EventError):
    """A chain of digests or states does not link."""

    def __init__(self, *, resource: str, sequence: int, expected: str, found: str) -> None:
        self.resource = resource
        self.sequence = sequence
        self.expected = expected
        self.found = found
        super().__init__(
            f"chain of {resource} breaks at sequence {sequence}: expected {expected or 'nothing'}, "
            f"found {found or 'nothing'}"
        )


class BusError(SwarmError):
    """Root of what can go wrong between us and the bus."""


class BusClosedError(BusError, RuntimeError):
    """The bus was used before it was opened or after it was closed."""

    def __init__(self, *, operation: str) -> None:
        self.operation = operation
        super().__init__(f"{operation} on a bus that is not open: use it inside `async with`")


class BusUnavailableError(BusError):
    """No server could be reached."""

    retryable = True

    def __init__(self, *, servers: str, reason: str) -> None:
        self.servers = servers
        self.reason = reason
        super().__init__(f"no bus at {servers} ({reason}): start it with `swarm up`")


class PublishTimeoutError(BusError):
    """No ack came in time. The outcome is unknown; publishing the same event id again is safe."""

    retryable = True

    def __init__(self, *, subject: str, event_id: str, timeout: float) -> None:
        self.subject = subject
        self.event_id = event_id
        self.timeout = timeout
        super().__init__(
            f"no ack for event {event_id} on {subject} within {timeout:g} s: outcome unknown, "
            "publish the same id again"
        )


class PublishRejectedError(BusError):
    """The server refused the event for good."""

    def __init__(self, *, subject: str, event_id: str, code: int, description: str) -> None:
        self.subject = subject
        self.event_id = event_id
        self.code = code
        self.description = description
        super().__init__(
            f"event {event_id} on {subject} refused by the server: {description} ({code})"
        )


class StreamMismatchError(BusError):
    """A stream exists with settings that differ from the declared ones and cannot be changed."""

    def __init__(self, *, stream: str, differences: Mapping[str, tuple[object, object]]) -> None:
        self.stream = stream
        self.differences = dict(differences)
        listed = ", ".join(
            f"{field} declared {declared!r}, found {found!r}"
            for field, (declared, found) in sorted(self.differences.items())
        )
        super().__init__(f"stream {stream} cannot be changed to what is declared: {listed}")


class ConsumerLostError(BusError):
    """A consumer ended on the server while it was read from."""

    retryable = True

    def __init__(self, *, stream: str, consumer: str, reason: str) -> None:
        self.stream = stream
        self.consumer = consumer
        self.reason = reason
        super().__init__(
            f"consumer {consumer} of stream {stream} is gone ({reason}): subscribe again"
        )


class SpoolFullError(BusError):
    """The spool on disk has no room for the event, and its policy is to refuse.

    `reason` says why the disk takes no more, where the limit is not what is reached.
    """

    retryable = True

    def __init__(self, *, path: str, limit_bytes: int, reason: str = "") -> None:
        self.path = path
        self.limit_bytes = limit_bytes
        self.reason = reason
        super().__init__(
            f"spool {path} cannot be written ({reason}): make room on its disk, or bring the bus "
            "back with `swarm up`"
            if reason
            else f"spool {path} is full ({limit_bytes} bytes): bring the bus back with `swarm up`, "
            "or raise SWARM_SPOOL_BYTES"
        )


class ContentMissingError(BusError):
    """Content is not in the object store under its digest."""

    def __init__(self, *, digest: str) -> None:
        self.digest = digest
        super().__init__(f"no content with digest {digest} on the bus: look in history")


class WrongRevisionError(BusError):
    """A key has another revision than the one that the write was conditioned on; read it again."""

    retryable = True

    def __init__(self, *, bucket: str, key: str, expected: int) -> None:
        self.bucket = bucket
        self.key = key
        self.expected = expected
        super().__init__(f"{bucket}/{key} is no longer at revision {expected}: read it again")


class WrongSequenceError(BusError):
    """Somebody else has written on a subject since; what was conditioned on that is not stored."""

    def __init__(self, *, subject: str, expected: int) -> None:
        self.subject = subject
        self.expected = expected
        super().__init__(
            f"{subject} has moved on from sequence {expected}: read what is there, decide again"
        )
