"""Errors of the intake; they are answered to the sender and go no further."""

from nervous_system.errors import SwarmError


class IntakeError(SwarmError):
    """Root of what can be wrong with telemetry from outside."""


class OtlpDecodeError(IntakeError):
    """A body is not OTLP."""

    def __init__(self, *, reason: str) -> None:
        self.reason = reason
        super().__init__(f"the body is not an OTLP export request: {reason}")
