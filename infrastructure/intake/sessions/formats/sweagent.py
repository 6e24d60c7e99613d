"""SWE-agent: trajectories of steps, each a call with what came of it. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from infrastructure.intake.sessions.reader import Reader, list_of, mapping_of, text_of, whole
from infrastructure.intake.sessions.records import Edited, Used

_EDIT = re.compile(r"(edit|str_replace_editor (str_replace|create|insert)|insert|create)\b")
_FAILED = re.compile(
    r"Your proposed edit has introduced new syntax error|No replacement was performed"
    r"|Traceback \(most recent call last\)|command not found|^usage: |Error:|error:"
    r"|No matches found|not found\b"
)
_NOT_EDITED = re.compile(
    r"has introduced new syntax error|No replacement was performed|not found|ERRORS:|Invalid|usage:"
)
_EDITED_TEXT = re.compile(r"(Text replaced|File updated|\[File:)")
_FILE = re.compile(r"\[File: (\S+)")
_PATH = re.compile(r"(?:str_replace_editor \w+|create) (\S+)")
_OPENED = re.compile(r"open (\S+)")


class SweAgentReader(Reader):
    """Reads the steps of one trajectory, or the messages of a history without one."""

    is_paired = False

    def __init__(self) -> None:
        super().__init__()
        self._open_file = ""
        self._number = 0
        self._last: Mapping[str, Any] = {}

    def _read(self, value: Mapping[str, Any]) -> str:
        kind = str(value.get("swarm_record"))
        data = mapping_of(value.get("data"))
        if kind == "step":
            self._step(data, has_answer="observation" in data)
        elif kind == "message":
            self._message(data)
        elif kind == "info":
            self._info(data)
        elif kind == "begin":
            self.counts["history"] = whole(data.get("history"))
            self._start({"environment": data.get("environment")})
        return kind

    def _step(self, step: Mapping[str, Any], *, has_answer: bool) -> None:
        self._number += 1
        self._count("steps")
        thought = step.get("thought") or step.get("response") or step.get("content") or ""
        self._text(thought if isinstance(thought, str) else text_of(thought))
        action = str(step.get("action") or "").strip()
        is_edit = _EDIT.match(action) is not None
        call_id = f"step-{self._number}"
        if action:
            self._call(call_id, action.split()[0], {"action": action}, is_edit=is_edit)
        elif is_edit:
            self._count("edit_calls")
        if (found := _OPENED.match(action)) is not None:
            self._open_file = found[1]
        if has_answer:
            self._observed(step, call_id, action, is_edit=is_edit)

    def _observed(
        self, step: Mapping[str, Any], call_id: str, action: str, *, is_edit: bool
    ) -> None:
        seen = str(step["observation"])
        seconds = step.get("execution_time")
        self._result(
            call_id,
            seen,
            "failed" if _FAILED.search(seen) else "ok",
            duration_us=int(seconds * 1e6) if isinstance(seconds, int | float) else 0,
        )
        if is_edit and not _NOT_EDITED.search(seen):
            self._edit(Edited(path=self._edited_path(action, seen), call_id=call_id))

    def _message(self, message: Mapping[str, Any]) -> None:
        """Read a message of a history that has no steps."""
        role = message.get("role")
        if role == "assistant" and not message.get("is_demo"):
            self._step(message, has_answer=False)
        elif role == "tool":
            text = text_of(message.get("content"))
            self._result(f"step-{self._number}", text)
        if self._last.get("role") == "assistant" and self._has_edited(message):
            path = self._edited_path(
                str(self._last.get("action") or ""), text_of(message.get("content"))
            )
            self._edit(Edited(path=path, call_id=f"step-{self._number}"))
        self._last = message

    def _has_edited(self, message: Mapping[str, Any]) -> bool:
        action, content = str(self._last.get("action") or ""), str(message.get("content"))
        if _EDIT.match(action.strip()) and "has been edited" in content:
            return True
        return action.startswith("edit") and _EDITED_TEXT.match(content) is not None

    def _edited_path(self, action: str, seen: str) -> str:
        found = _PATH.match(action) or _FILE.search(seen)
        return found[1] if found else self._open_file

    def _info(self, info: Mapping[str, Any]) -> None:
        stats = mapping_of(info.get("model_stats"))
        submission = str(info.get("submission") or "")
        self.counts["submission_files"] = len(re.findall(r"(?m)^diff --git ", submission))
        if stats:
            cost = stats.get("instance_cost", stats.get("total_cost"))
            self._used(
                Used(
                    key="total",
                    model=str(info.get("model") or ""),
                    input_tokens=whole(stats.get("tokens_sent")),
                    output_tokens=whole(stats.get("tokens_received")),
                    cost_usd=float(cost) if isinstance(cost, int | float) else None,
                    is_total=True,
                )
            )
        self._note(
            "end",
            str(info.get("exit_status") or ""),
            {"exit_status": info.get("exit_status"), "submission": submission},
        )


def records_of_trajectory(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the records of a trajectory in order."""
    steps = list_of(document.get("trajectory"))
    kind = "step" if steps else "message"
    source = steps or list_of(document.get("history"))
    found: list[dict[str, Any]] = [
        {
            "swarm_record": "begin",
            "data": {
                "environment": document.get("environment"),
                "history": len(list_of(document.get("history"))),
            },
        }
    ]
    found += [{"swarm_record": kind, "data": one} for one in source if isinstance(one, Mapping)]
    if isinstance(document.get("info"), Mapping):
        found.append({"swarm_record": "info", "data": document["info"]})
    return found
