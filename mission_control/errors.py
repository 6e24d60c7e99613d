"""Errors of the dashboard.

SwarmError
+- DashboardError
   +- BadQuestionError      a parameter that means nothing here
"""

from nervous_system.errors import SwarmError


class DashboardError(SwarmError):
    """Base of what the dashboard raises."""


class BadQuestionError(DashboardError, ValueError):
    """A parameter of a request means nothing here."""

    def __init__(self, *, parameter: str, given: str, expected: str) -> None:
        self.parameter = parameter
        self.given = given
        self.expected = expected
        super().__init__(f"{parameter} is {given[:100]!r}, expected {expected}")
