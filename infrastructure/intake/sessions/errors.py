"""What goes wrong with sessions.

SwarmError
+- SourceError            a transcript cannot be read, or nobody knows its format
+- NoSessionError         no session is there of what was asked for
"""

from nervous_system.errors import SwarmError


class SourceError(SwarmError):
    """A transcript cannot be read."""

    def __init__(self, *, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class NoSessionError(SwarmError):
    """There is no such session."""

    def __init__(self, *, wanted: str, looked_in: str) -> None:
        super().__init__(f"no session {wanted}: looked in {looked_in}")
        self.wanted = wanted
        self.looked_in = looked_in


class DivergedError(Exception):
    """Somebody else has stored what this reading cannot continue: read again from the start."""


class RewrittenError(Exception):
    """The source is no continuation of what is stored of it."""
