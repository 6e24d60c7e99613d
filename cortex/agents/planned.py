"""The plan that an architect decided on, kept until all of its tasks are submitted.

Tasks are submitted one by one. An architect that is lost in between is followed by one whose model
might answer with another plan: half of each would be done. So the plan lies in the run's directory
before the first task is submitted, and whoever comes next goes on with it.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from secrets import token_hex
from typing import Any

from cortex.models.port import LeftOut, Plan, PlannedTask

PLAN_FILE = "plan.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptPlan:
    """A plan, and what goes with it."""

    plan: Plan
    decision_id: str
    """The event by which it was decided on."""
    checks: Mapping[str, Any]
    """What the checks said of the state that it starts from, as documents."""


def keep_plan(directory: Path, kept: KeptPlan) -> None:
    """Write a plan into a run's directory; it is there whole or not at all."""
    temporary = directory / f"{PLAN_FILE}.{token_hex(4)}"
    temporary.write_text(json.dumps(asdict(kept)), encoding="utf-8")
    temporary.replace(directory / PLAN_FILE)


def kept_plan(directory: Path) -> KeptPlan | None:
    """Return the plan of a run; None where none was decided on, or none can be read."""
    try:
        document = json.loads((directory / PLAN_FILE).read_text(encoding="utf-8"))
        return KeptPlan(
            plan=_plan(document["plan"]),
            decision_id=str(document["decision_id"]),
            checks=document["checks"],
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _plan(document: Mapping[str, Any]) -> Plan:
    return Plan(
        tasks=tuple(PlannedTask(**_tuples(one)) for one in document["tasks"]),
        rationale=document["rationale"],
        rejected_alternatives=tuple(document["rejected_alternatives"]),
        left_out=tuple(LeftOut(**_tuples(one)) for one in document["left_out"]),
        confidence=document["confidence"],
    )


def _tuples(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields with tuples where JSON has lists."""
    return {name: tuple(one) if isinstance(one, list) else one for name, one in document.items()}
