"""mini-swe-agent: a list of messages, bare or with what is known of the run. Pure."""

import json
import re
from collections.abc import Mapping
from typing import Any

from infrastructure.intake.sessions.reader import Reader, list_of, mapping_of, parse_json, whole
from infrastructure.intake.sessions.records import Edited, Used

_COMMAND = re.compile(r"```(?:mswea_bash_command|bash)\n(.*?)(?:\n```|\Z)", re.DOTALL)
_FENCE = re.compile(r"```(?:mswea_bash_command|bash)\n")
_RETURN_CODE = re.compile(r"<returncode>(-?\d+)")
_DIFF = re.compile(r"(?m)^diff --git a/(.*?) b/(.*)$")


class MiniSweReader(Reader):
    """Reads the messages of one trajectory."""

    def __init__(self) -> None:
        super().__init__()
        self._number = 0
        self._messages = 0
        self.is_paired = False
        self._is_bare = True
        self._last_content = ""

    def totals(self) -> dict[str, int]:
        """See Reader."""
        return {**super().totals(), "user_prompts": 1, "messages": self._messages}

    def _read(self, value: Mapping[str, Any]) -> str:
        kind = str(value.get("swarm_record"))
        data = mapping_of(value.get("data"))
        if kind == "begin":
            self._begin(data)
        elif kind == "message":
            return self._message(data)
        elif kind == "end":
            self._end(data)
        return kind

    def _begin(self, info: Mapping[str, Any]) -> None:
        self._is_bare = not info
        config = mapping_of(info.get("config"))
        self._fact("model", mapping_of(config.get("model")).get("model_name"))
        self._fact("cwd", mapping_of(config.get("environment")).get("cwd"))
        self._fact("version", info.get("mini_version"))
        self._start(self.facts)

    def _message(self, message: Mapping[str, Any]) -> str:
        self._messages += 1
        role = message.get("role")
        content = message.get("content")
        text = content if isinstance(content, str) else json.dumps(content)
        self._last_content = text
        extra = mapping_of(message.get("extra"))
        self._at(extra.get("timestamp"))
        if role == "assistant":
            self._answer(message, text, extra)
        elif role in {"user", "tool"} and "<returncode>" in text:
            self._tool_result(message, text)
        elif role == "user":
            self._user(text)
        return str(role)

    def _answer(self, message: Mapping[str, Any], text: str, extra: Mapping[str, Any]) -> None:
        self._text(text if message.get("content") is not None else "")
        self._usage(mapping_of(extra.get("response")), extra.get("cost"))
        calls = list_of(message.get("tool_calls"))
        for call in calls:
            function = mapping_of(mapping_of(call).get("function"))
            arguments = function.get("arguments")
            asked = parse_json(arguments)
            self.is_paired = True
            self._call(call["id"], function.get("name"), arguments if asked is None else asked)
        if not calls:
            commands = _COMMAND.findall(text)
            for number in range(len(_FENCE.findall(text))):
                self._number += 1
                command = commands[number] if number < len(commands) else ""
                self._call(f"step-{self._number}", "bash", {"command": command})

    def _usage(self, response: Mapping[str, Any], cost: object) -> None:
        usage = mapping_of(response.get("usage"))
        if not usage:
            return
        self._used(
            Used(
                key=str(response.get("id") or f"#{self._messages}"),
                model=str(response.get("model") or self.facts.get("model", "")),
                input_tokens=whole(usage.get("prompt_tokens")),
                output_tokens=whole(usage.get("completion_tokens")),
                cost_usd=float(cost) if isinstance(cost, int | float) else None,
            )
        )

    def _tool_result(self, message: Mapping[str, Any], text: str) -> None:
        call_id = message.get("tool_call_id") if message.get("role") == "tool" else None
        self._result(call_id or f"step-{self._number}", text)
        if message.get("role") != "tool":
            self._answered.discard(f"step-{self._number}")
        match = _RETURN_CODE.search(text)
        if match and match[1] != "0":
            self._count("nonzero_exit")

    def _user(self, text: str) -> None:
        if text.startswith("Format error"):
            self._count("errors")
            self._note("notice", text, {"level": "error"})
        elif not self.counts["user_prompts"]:
            self._prompt(text)

    def _end(self, info: Mapping[str, Any]) -> None:
        """The final message or the run's outcome holds what was changed as one diff."""
        submission = self._last_content if self._is_bare else str(info.get("submission") or "")
        for path, patch in _files(submission):
            self._edit(Edited(path=path, patch=patch))
        self._note("end", str(info.get("exit_status") or ""), {"submission": submission})


def _files(submission: str) -> list[tuple[str, str]]:
    """Return the files of a diff, each with its part."""
    starts = list(_DIFF.finditer(submission))
    ends = [*(one.start() for one in starts), len(submission)][1:]
    return [(one[2], submission[one.start() : end]) for one, end in zip(starts, ends, strict=True)]


def records_of_messages(document: object) -> list[dict[str, Any]]:
    """Return the records of a trajectory in order."""
    info = mapping_of(mapping_of(document).get("info"))
    bare = list_of(document)
    messages = bare or list_of(mapping_of(document).get("messages"))
    return [
        {"swarm_record": "begin", "data": info},
        *({"swarm_record": "message", "data": one} for one in messages if isinstance(one, Mapping)),
        {"swarm_record": "end", "data": info},
    ]
