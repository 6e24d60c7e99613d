"""OpenHands: events of its SDK as JSON lines, and the older list of messages. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from infrastructure.intake.sessions.reader import Reader, list_of, mapping_of, text_of, whole
from infrastructure.intake.sessions.records import Edited, Used

_FUNCTION = re.compile(r"<function=(\w+)>")
_KNOWN = frozenset(
    {
        *("ActionEvent", "ObservationEvent", "MessageEvent", "ConversationStateUpdateEvent"),
        *("AgentErrorEvent", "ConversationErrorEvent", "SystemPromptEvent", "PauseEvent"),
        *(
            "Condensation",
            "CondensationRequest",
            "CondensationSummaryEvent",
            "UserRejectObservation",
        ),
    }
)


class OpenHandsReader(Reader):
    """Reads the events of one conversation, or its messages."""

    def __init__(self) -> None:
        super().__init__()
        self._number = 0

    def _read(self, value: Mapping[str, Any]) -> str:
        kind = value.get("kind")
        if kind is None and "role" in value:
            return self._message(value)
        self._at(value.get("timestamp"))
        if kind == "ActionEvent":
            self._action(value)
        elif kind == "ObservationEvent":
            self._observation(value)
        elif kind == "MessageEvent":
            self._message_event(value)
        elif kind in {"AgentErrorEvent", "ConversationErrorEvent"}:
            self._failed(str(value.get("error") or value.get("detail") or kind))
        elif kind == "ConversationStateUpdateEvent":
            self._state(value)
        elif kind == "Condensation":
            self._note("compaction", str(value.get("summary") or ""))
        return str(kind) if kind in _KNOWN else self._unknown(str(kind))

    def _action(self, value: Mapping[str, Any]) -> None:
        thoughts = [mapping_of(one).get("text", "") for one in list_of(value.get("thought"))]
        if any(str(one).strip() for one in thoughts):
            self._text("\n".join(map(str, thoughts)), str(value.get("llm_response_id") or ""))
        if value.get("reasoning_content"):
            self._thought(value["reasoning_content"])
        action = mapping_of(value.get("action"))
        is_edit = "FileEditor" in str(action.get("kind")) and (
            action.get("command") not in {"view", None}
        )
        name = value.get("tool_name") or action.get("kind")
        self._call(value.get("tool_call_id"), name, dict(action), is_edit=is_edit)

    def _observation(self, value: Mapping[str, Any]) -> None:
        seen = mapping_of(value.get("observation"))
        is_failed = bool(seen.get("is_error"))
        text = text_of(seen.get("content")) or str(seen.get("output") or "")
        call = self._result(
            value.get("tool_call_id"),
            text,
            "failed" if is_failed else "ok",
            name=str(value.get("tool_name") or ""),
        )
        if is_failed:
            return
        code = seen.get("exit_code") or 0
        if code != 0:
            self._count("nonzero_exit")
        asked = mapping_of(call.arguments if call else None)
        after = seen.get("new_content")
        if isinstance(after, str) and "FileEditor" in str(seen.get("kind")):
            before = seen.get("old_content")
            self._add(
                Edited(
                    path=str(seen.get("path") or asked.get("path") or ""),
                    call_id=str(value.get("tool_call_id") or ""),
                    before=before if isinstance(before, str) else None,
                    after=after,
                    is_new=seen.get("prev_exist") is False,
                )
            )

    def _message_event(self, value: Mapping[str, Any]) -> None:
        text = text_of(mapping_of(value.get("llm_message")).get("content"))
        if value.get("source") == "agent":
            if text.strip():
                self._text(text)
            else:
                self._count("assistant_text")
        else:
            self._prompt(text)

    def _state(self, value: Mapping[str, Any]) -> None:
        stats = mapping_of(value.get("value")).get("stats", value.get("value"))
        metrics = mapping_of(mapping_of(stats).get("usage_to_metrics"))
        for name, one in metrics.items():
            metric = mapping_of(one)
            tokens = mapping_of(metric.get("accumulated_token_usage"))
            cost = metric.get("accumulated_cost")
            self._used(
                Used(
                    key=f"total:{name}",
                    model=str(metric.get("model_name") or tokens.get("model") or ""),
                    input_tokens=whole(tokens.get("prompt_tokens")),
                    output_tokens=whole(tokens.get("completion_tokens")),
                    cache_read_tokens=whole(tokens.get("cache_read_tokens")),
                    cache_write_tokens=whole(tokens.get("cache_write_tokens")),
                    cost_usd=float(cost) if isinstance(cost, int | float) else None,
                    counts_cached=True,
                    is_total=True,
                )
            )

    def _message(self, message: Mapping[str, Any]) -> str:
        """Read a message of the older format."""
        role = message.get("role")
        content = message.get("content")
        text = (
            content
            if isinstance(content, str)
            else "".join(
                str(one.get("text", "")) for one in list_of(content) if isinstance(one, Mapping)
            )
        )
        if role == "assistant":
            self._text(text)
            for call in list_of(message.get("tool_calls")):
                function = mapping_of(mapping_of(call).get("function"))
                self._call(call.get("id"), function.get("name"), function.get("arguments"))
            for name in _FUNCTION.findall(text):
                self._number += 1
                self.counts["tool_calls"] += 1
                self._note("call", name, {"number": self._number})
        elif role == "tool":
            self._result(message.get("tool_call_id"), text)
        elif role == "user":
            self._prompt(text)
        return (
            str(role)
            if role in {"system", "user", "assistant", "tool"}
            else self._unknown(str(role))
        )

    def totals(self) -> dict[str, int]:
        """See Reader."""
        counted = super().totals()
        if not self._calls and self._number:
            counted["unanswered_calls"] = counted["orphan_results"] = 0
        return counted
