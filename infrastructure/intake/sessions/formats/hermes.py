"""Hermes: rows of its database as objects, and its older export as one JSON document. Pure."""

from collections.abc import Mapping
from typing import Any

from infrastructure.intake.sessions.reader import (
    Reader,
    list_of,
    mapping_of,
    parse_json,
    text_of,
    whole,
)
from infrastructure.intake.sessions.records import Edited, Outcome, Used

_JSON_MARK = "\x00json:"


class HermesReader(Reader):
    """Reads the messages of one session."""

    edit_tools = frozenset({"patch", "write_file"})
    subagent_tools = frozenset({"delegate_task"})

    def __init__(self) -> None:
        super().__init__()
        self._touched: set[object] = set()

    def totals(self) -> dict[str, int]:
        """See Reader."""
        return {**super().totals(), "files_touched": len(self._touched)}

    def _read(self, value: Mapping[str, Any]) -> str:
        role = value.get("role")
        if role is None:
            return self._session(value)
        self._at(value.get("timestamp"))
        self._count("messages")
        if role == "user":
            self._prompt(text_of(_content(value)))
        elif role == "assistant":
            self._answer(value)
        elif role == "tool":
            self._tool_result(value)
        elif role not in {"system", "session_meta"}:
            return self._unknown(str(role))
        return str(role)

    def _session(self, value: Mapping[str, Any]) -> str:
        """What the database or the export says of the whole session."""
        self._at(value.get("started_at") or value.get("session_start"))
        config = mapping_of(value.get("model_config"))
        self._fact("model", value.get("model"))
        self._fact("cwd", value.get("cwd") or config.get("cwd"))
        self._fact("parent", value.get("parent_session_id"))
        self._fact("title", value.get("title"))
        self._start({**self.facts, "source": value.get("source") or value.get("platform")})
        if value.get("ended_at"):
            self._at(value.get("ended_at"))
            self._note("end", str(value.get("end_reason") or ""))
        cost = value.get("estimated_cost_usd")
        if any(whole(value.get(name)) for name in ("input_tokens", "output_tokens")):
            self._used(
                Used(
                    key="total",
                    model=str(value.get("model") or ""),
                    input_tokens=whole(value.get("input_tokens")),
                    output_tokens=whole(value.get("output_tokens")),
                    cache_read_tokens=whole(value.get("cache_read_tokens")),
                    cache_write_tokens=whole(value.get("cache_write_tokens")),
                    cost_usd=float(cost) if isinstance(cost, int | float) and cost else None,
                    is_total=True,
                )
            )
        return "session"

    def _answer(self, value: Mapping[str, Any]) -> None:
        message_id = str(value.get("id") or "")
        thought = value.get("reasoning") or value.get("reasoning_content")
        if thought:
            self._thought(thought, message_id)
        content = _content(value)
        self._text(content if isinstance(content, str) else text_of(content), message_id)
        calls = value.get("tool_calls")
        for call in list_of(parse_json(calls) if isinstance(calls, str) else calls):
            function = mapping_of(mapping_of(call).get("function"))
            self._call(
                mapping_of(call).get("id"),
                function.get("name"),
                function.get("arguments"),
                message_id,
            )

    def _tool_result(self, value: Mapping[str, Any]) -> None:
        content = _content(value)
        found = mapping_of(parse_json(content) if isinstance(content, str) else content)
        known = self._calls.get(str(value.get("tool_call_id")))
        name = str(value.get("tool_name") or (known.name if known else ""))
        outcome = _outcome(value, found, name)
        child = str(found.get("delegation_id") or "")
        call = self._result(
            value.get("tool_call_id"), text_of(content), outcome, name=name, child=child
        )
        if child:
            self._note("subagent", child, {"tool_call_id": value.get("tool_call_id")})
        if found.get("exit_code") not in {None, 0}:
            self._count("nonzero_exit")
        if outcome != "ok" or name not in self.edit_tools:
            return
        asked = mapping_of(parse_json(call.arguments) if call else None)
        path = asked.get("path")
        if call is not None and asked:
            self._touched.add(path)
        written = asked.get("content")
        diff = found.get("diff")
        self._edit(
            Edited(
                path=str(path or found.get("resolved_path") or ""),
                call_id=str(value.get("tool_call_id") or ""),
                after=written if isinstance(written, str) and name == "write_file" else None,
                patch=diff if isinstance(diff, str) else "",
            )
        )


def _content(value: Mapping[str, Any]) -> Any:
    content = value.get("content")
    if isinstance(content, str) and content.startswith(_JSON_MARK):
        return parse_json(content.removeprefix(_JSON_MARK))
    return content


def _outcome(value: Mapping[str, Any], found: Mapping[str, Any], name: str) -> Outcome:
    is_failed = (
        found.get("success") is False
        or (found.get("error") not in {None, ""} and name != "terminal")
        or value.get("finish_reason") == "error"
    )
    return "failed" if is_failed else "ok"
