"""The model that needs no network: rules instead of a language model.

It does one kind of task, the removal of lint findings, and says so about any other. What it answers
follows from the linter's findings and the source alone.
"""

from cortex.models.offline_change import make_changes
from cortex.models.offline_plan import make_plan, rules_named
from cortex.models.offline_review import make_review
from cortex.models.port import (
    ChangeRequest,
    ChangeSet,
    Plan,
    PlanRequest,
    Review,
    ReviewRequest,
)
from cortex.models.ruff import RuffLinter, SourceLinter

OFFLINE = "offline"


class OfflineModel:
    """Plans from ruff's findings, fixes with ruff and own rewrites, reviews by comparing.

    The same request always gets the same answer. It holds no state between calls.
    """

    def __init__(self, linter: SourceLinter | None = None) -> None:
        self._linter = linter or RuffLinter()

    @property
    def name(self) -> str:
        """`offline`."""
        return OFFLINE

    @property
    def description(self) -> str:
        """Who works."""
        return "offline: rules of its own and ruff, for lint findings; no network, no cost"

    def rules_for(self, task: str) -> tuple[str, ...]:
        """See Model."""
        return rules_named(task)

    async def plan(self, request: PlanRequest) -> Plan:
        """See Model."""
        return make_plan(request)

    async def change(self, request: ChangeRequest) -> ChangeSet:
        """See Model."""
        return await make_changes(self._linter, request)

    async def review(self, request: ReviewRequest) -> Review:
        """See Model."""
        return make_review(request)
