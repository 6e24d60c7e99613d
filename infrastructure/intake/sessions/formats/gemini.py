"""Gemini CLI: a JSON document that is rewritten at each turn, and JSON lines since 0.40. Pure.

A call and its result are one object. A message may come again, changed; what it says then takes
the place of what it said before.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from infrastructure.intake.sessions.reader import Reader, list_of, mapping_of, text_of, whole
from infrastructure.intake.sessions.records import COUNTS, Edited, Outcome, Used

_EXIT_CODE = re.compile(r"Exit Code: (?!0\b|\(none\))\S")
_MODEL_TYPES = frozenset({"gemini", "model", "assistant"})
_DONE = frozenset({"success", "error", "cancelled"})
_HEADER_KEYS = frozenset({"sessionId", "projectHash", "history", "startTime", "start_time"})


class GeminiReader(Reader):
    """Reads the messages of one session."""

    edit_tools = frozenset({"write_file", "replace", "edit"})
    is_paired = False

    def __init__(self) -> None:
        super().__init__()
        self._touched: set[object] = set()
        self._messages: dict[str, dict[str, Any]] = {}
        self._counted: dict[str, dict[str, int]] = {}
        self._number = 0

    def totals(self) -> dict[str, int]:
        """See Reader."""
        return {**super().totals(), "files_touched": len(self._touched)}

    def _read(self, value: Mapping[str, Any]) -> str:
        if "$set" in value:
            return "$set"
        kind = value.get("type") or value.get("role")
        if not kind:
            return self._header(value)
        if value.get("type") and not value.get("id") and value.get("content") is None:
            return self._unknown(str(kind))
        self._at(value.get("timestamp") or value.get("ts"))
        message_id = str(value.get("id") or "")
        before = dict.fromkeys(COUNTS, 0)
        if message_id and message_id in self._messages:
            for name, count in self._counted[message_id].items():
                self.counts[name] -= count
            value = {**self._messages[message_id], **value}
        before = dict(self.counts)
        self._message(str(kind), value)
        if message_id:
            self._messages[message_id] = dict(value)
            self._counted[message_id] = {
                name: count - before.get(name, 0) for name, count in self.counts.items()
            }
        known = _MODEL_TYPES | {"user", "info", "error", "warning"}
        return str(kind) if kind in known else self._unknown(str(kind))

    def _header(self, value: Mapping[str, Any]) -> str:
        if not _HEADER_KEYS & value.keys():
            return self._unknown("record")
        self._at(value.get("startTime") or value.get("start_time"))
        self._fact("model", mapping_of(value.get("meta")).get("model"))
        self._start(
            {
                **self.facts,
                "id": value.get("sessionId"),
                "project_hash": value.get("projectHash"),
                "kind": value.get("kind"),
            }
        )
        return "session"

    def _message(self, kind: str, value: Mapping[str, Any]) -> None:
        content = value.get("content") or value.get("parts")
        if kind == "user":
            self._prompt(text_of(content))
        elif kind in _MODEL_TYPES:
            self._answer(value, content)
        elif kind == "error":
            self._failed(text_of(content))
        elif kind in {"info", "warning"}:
            self._note("notice", text_of(content))

    def _answer(self, value: Mapping[str, Any], content: object) -> None:
        self._number += 1
        message_id = str(value.get("id") or f"#{self._number}")
        for thought in list_of(value.get("thoughts")):
            one = mapping_of(thought)
            said = (one.get("subject"), one.get("description"))
            self._thought("\n".join(str(part) for part in said if part), message_id)
        text = content if isinstance(content, str) else _texts(content)
        self._text(text, message_id)
        self._usage(value, message_id)
        for number, call in enumerate(list_of(value.get("toolCalls"))):
            self._tool(mapping_of(call), f"{message_id}/{number}", message_id)

    def _usage(self, value: Mapping[str, Any], message_id: str) -> None:
        tokens = mapping_of(value.get("tokens"))
        if tokens:
            self._used(
                Used(
                    key=message_id,
                    model=str(value.get("model") or self.facts.get("model", "")),
                    input_tokens=whole(tokens.get("input")),
                    output_tokens=whole(tokens.get("output")) + whole(tokens.get("thoughts")),
                    cache_read_tokens=whole(tokens.get("cached")),
                    counts_cached=True,
                )
            )

    def _tool(self, call: Mapping[str, Any], made_id: str, message_id: str) -> None:
        call_id = str(call.get("id") or made_id)
        name, status = str(call.get("name") or ""), call.get("status")
        self._call(call_id, name, call.get("args"), message_id)
        shown = json.dumps(call.get("result"), ensure_ascii=False)
        if _EXIT_CODE.search(json.dumps(call.get("result"))):
            self._count("nonzero_exit")
        if call.get("result") is None and status not in _DONE:
            self._count("unanswered_calls")
            if name in self.edit_tools:
                self._change(call, call_id)
            return
        display = call.get("resultDisplay")
        outcome: Outcome = "ok"
        if status in {"error", "cancelled"}:
            outcome = "failed" if status == "error" else "refused"
        self._result(call_id, display if isinstance(display, str) else shown, outcome)
        if outcome == "ok" and name in self.edit_tools:
            self._change(call, call_id)

    def _change(self, call: Mapping[str, Any], call_id: str) -> None:
        asked, display = mapping_of(call.get("args")), mapping_of(call.get("resultDisplay"))
        path = asked.get("file_path")
        self._touched.add(path)
        before, after = display.get("originalContent"), display.get("newContent")
        written = asked.get("content")
        self._edit(
            Edited(
                path=str(path or ""),
                call_id=call_id,
                before=before if isinstance(before, str) else None,
                after=_first_text(after, written),
                patch=str(display.get("fileDiff") or ""),
                is_new=bool(display.get("isNewFile")),
            )
        )


def _texts(content: object) -> str:
    return "".join(str(one.get("text", "")) for one in list_of(content) if isinstance(one, Mapping))


def _first_text(*values: object) -> str | None:
    return next((one for one in values if isinstance(one, str)), None)
