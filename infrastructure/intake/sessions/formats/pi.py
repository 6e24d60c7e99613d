"""pi and OpenClaw: JSON lines, versions 1 and 3 of their session files. Pure."""

from collections.abc import Mapping
from typing import Any

from infrastructure.intake.sessions.reader import Reader, list_of, mapping_of, text_of, whole
from infrastructure.intake.sessions.records import Edited, Used

_KNOWN = frozenset(
    {
        *("session", "message", "model_change", "thinking_level_change", "compaction"),
        *("branch_summary", "custom", "custom_message", "label", "session_info"),
    }
)
_KNOWN_BLOCKS = frozenset({"text", "thinking", "toolCall", "tool_use", "image"})


class PiReader(Reader):
    """Reads one session file."""

    edit_tools = frozenset({"edit", "write"})

    def __init__(self) -> None:
        super().__init__()
        self._touched: set[object] = set()
        self._usages = 0

    def totals(self) -> dict[str, int]:
        """See Reader."""
        return {**super().totals(), "files_touched": len(self._touched)}

    def _read(self, value: Mapping[str, Any]) -> str:
        kind = str(value.get("type"))
        self._at(value.get("timestamp"))
        message = value.get("message")
        if kind == "message" and isinstance(message, Mapping):
            self._message(message, str(value.get("id") or ""))
        elif kind == "session":
            self._session(value)
        elif kind == "compaction":
            self._note(
                "compaction",
                str(value.get("summary") or ""),
                {"tokens_before": whole(value.get("tokensBefore"))},
            )
        elif kind == "branch_summary":
            self._note("summary", str(value.get("summary") or ""))
        return kind if kind in _KNOWN else self._unknown(kind)

    def _session(self, value: Mapping[str, Any]) -> None:
        for name, key in (("id", "id"), ("cwd", "cwd"), ("model", "modelId")):
            self._fact(name, value.get(key))
        self._fact("parent", value.get("parentSession"))
        self._fact("branched_from", value.get("branchedFrom"))
        version = value.get("version")
        self._fact("version", str(version if version is not None else 1))
        if isinstance(version, int):
            self.counts["session_version"] = version
        self._start(self.facts)

    def _message(self, message: Mapping[str, Any], line_id: str) -> None:
        role = message.get("role")
        content = message.get("content")
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        if role == "user":
            self._prompt(text_of(content))
        elif role == "assistant":
            self._answer(message, list_of(blocks), line_id)
        elif role == "toolResult":
            self._tool_result(message)

    def _answer(self, message: Mapping[str, Any], blocks: list[Any], line_id: str) -> None:
        if message.get("stopReason") in {"error", "aborted"}:
            self._failed(str(message.get("errorMessage") or message.get("stopReason")))
        self._usage(message, line_id)
        for block in blocks:
            kind = block.get("type")
            if kind == "text":
                self._text(block.get("text"), line_id)
            elif kind == "thinking":
                self._thought(block.get("thinking"), line_id)
            elif kind in {"toolCall", "tool_use"}:
                asked = block.get("arguments", block.get("input"))
                self._call(block.get("id"), block.get("name"), asked, line_id)
            elif kind not in _KNOWN_BLOCKS:
                self._drift(f"block:{kind}")

    def _usage(self, message: Mapping[str, Any], line_id: str) -> None:
        usage = mapping_of(message.get("usage"))
        if not usage:
            return
        self._usages += 1
        cost = mapping_of(usage.get("cost")).get("total")
        provider, model = message.get("provider"), str(message.get("model") or "")
        self._used(
            Used(
                key=line_id or f"#{self._usages}",
                model=f"{provider}:{model}" if provider else model,
                input_tokens=whole(usage.get("input")),
                output_tokens=whole(usage.get("output")),
                cache_read_tokens=whole(usage.get("cacheRead")),
                cache_write_tokens=whole(usage.get("cacheWrite")),
                cost_usd=float(cost) if isinstance(cost, int | float) else None,
            )
        )

    def _tool_result(self, message: Mapping[str, Any]) -> None:
        is_failed = bool(message.get("isError"))
        name = str(message.get("toolName") or "")
        text = text_of(message.get("content"))
        call = self._result(
            message.get("toolCallId"), text, "failed" if is_failed else "ok", name=name
        )
        if is_failed or (name or (call.name if call else "")) not in self.edit_tools:
            return
        asked = mapping_of(call.arguments if call else None)
        path = asked.get("path") or asked.get("file_path")
        self._touched.add(path)
        content = asked.get("content")
        self._edit(
            Edited(
                path=str(path or ""),
                call_id=str(message.get("toolCallId") or ""),
                after=content if isinstance(content, str) else None,
                patch=_patch(mapping_of(message.get("details")).get("diff")),
            )
        )


def _patch(numbered: object) -> str:
    """Return a unified diff of one hunk from a diff whose lines carry their numbers."""
    if not isinstance(numbered, str):
        return ""
    lines: list[str] = []
    first = 0
    for line in numbered.split("\n"):
        mark, rest = line[:1], line[1:].lstrip(" ")
        number, _, text = rest.partition(" ")
        if mark not in {" ", "+", "-"} or not number.isdigit():
            continue
        first = first or int(number)
        lines.append(f"{mark}{text}")
    old = sum(line[0] != "+" for line in lines)
    new = sum(line[0] != "-" for line in lines)
    if not lines:
        return ""
    body = "".join(f"{line}\n" for line in lines)
    return f"@@ -{first},{old} +{first},{new} @@\n{body}"
