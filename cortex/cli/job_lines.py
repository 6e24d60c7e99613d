"""What people read of a run on a repository, while it goes on and at its end. Pure."""

from cortex.engine.job import PLAN_TASK, Outcome
from cortex.engine.replay import RunState
from cortex.engine.state_machine import RunPhase, TaskTrigger
from cortex.engine.tasks import Transition

_SAID = {
    TaskTrigger.CLAIM: "{worker} takes {title}",
    TaskTrigger.HAND_IN: "{worker} hands in {title}",
    TaskTrigger.SEND_BACK: "{worker} sends back {title}: {reason}",
    TaskTrigger.COMPLETE: "{worker} accepts {title}",
    TaskTrigger.REFUSE: "{worker} refuses {title}: {reason}",
    TaskTrigger.FAIL: "{worker} fails at {title}: {reason}",
    TaskTrigger.BURY: "{title} is given up: {reason}",
}


def line_of(state: RunState, transition: Transition) -> str:
    """Return what is said of a step that `state` has taken; empty where nothing is."""
    if not transition.task_id:
        is_told = transition.phase in {RunPhase.PAUSED, RunPhase.CANCELLING}
        return f"the run is {transition.phase}" if is_told else ""
    trigger = transition.trigger
    view = state.tasks[transition.task_id]
    if transition.task_id == PLAN_TASK:
        if trigger is TaskTrigger.COMPLETE:
            count = len(view.result.get("tasks", ()))
            tasks = "1 task" if count == 1 else f"{count} tasks"
            return f"{transition.agent_id} plans {tasks}: {_short(str(view.result['rationale']))}"
        if trigger is TaskTrigger.CLAIM:
            return f"{transition.agent_id} reads the repository"
    template = _SAID.get(trigger) if trigger is not None else None
    if template is None:
        return ""
    return template.format(
        worker=transition.worker or transition.agent_id,
        title=_short(view.task.title or transition.task_id),
        reason=_short(transition.reason),
    )


def summary_lines(state: RunState, outcome: Outcome) -> list[str]:
    """Return what a run came to, for people."""
    lines = []
    for one in outcome.accepted:
        files = _short(", ".join(one.files))
        lines.append(f"done     {one.commit[:12]}  {_short(one.title)}  ({files})")
    for missed in outcome.refused:
        title, reason = _short(missed.title or missed.task), _short(missed.reason, 400)
        lines.append(f"not done               {title}: {reason}")
    still = sum(not view.has_ended for view in state.tasks.values())
    if still:
        lines.append("1 task is not finished" if still == 1 else f"{still} tasks are not finished")
    elif not lines:
        lines.append("nothing to do")
    lines.append("")
    if outcome.branch is not None:
        lines.append(f"branch   {outcome.branch}")
    lines.append(f"run      {outcome.run_id}")
    return lines


def _short(text: str, most: int = 160) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"
