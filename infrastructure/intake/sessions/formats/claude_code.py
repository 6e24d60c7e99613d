"""Claude Code: JSON lines, one content block of a message a line; versions 1.0 to 2.1. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from infrastructure.intake.sessions.patches import patch_of_hunks, replace_text
from infrastructure.intake.sessions.reader import Reader, list_of, mapping_of, text_of, whole
from infrastructure.intake.sessions.records import Edited, Outcome, Used

_INJECTED_TEXTS = ("<command-", "<local-command", "<bash-", "<system-reminder", "Caveat:")
_INJECTED_BLOCKS = ("<", "[Request interrupted")
_REJECTED = "The user doesn't want to"
_SYNTHETIC = "<synthetic>"
_TOKENS: Final = (
    *("input_tokens", "output_tokens"),
    *("cache_creation_input_tokens", "cache_read_input_tokens"),
)
_KNOWN = frozenset(
    {
        *("user", "assistant", "system", "progress", "file-history-snapshot", "summary"),
        *("queue-operation", "pr-link", "custom-title", "ai-title", "agent-name", "last-prompt"),
        *("mode", "permission-mode", "worktree-state", "relocated", "attachment"),
    }
)
_KNOWN_BLOCKS = frozenset(
    {
        *("text", "thinking", "redacted_thinking", "tool_use", "server_tool_use", "tool_result"),
        *("image", "document", "web_search_tool_result", "code_execution_tool_result"),
    }
)


class ClaudeCodeReader(Reader):
    """Reads one transcript: of a session, or of one of its sub-agents."""

    edit_tools = frozenset({"Edit", "MultiEdit", "Write", "NotebookEdit"})
    subagent_tools = frozenset({"Task", "Agent"})
    has_child_sessions = False

    def __init__(self) -> None:
        super().__init__()
        self._message_ids: set[str] = set()
        self._children: set[str] = set()
        self._touched: set[str] = set()

    def totals(self) -> dict[str, int]:
        """See Reader."""
        return {
            **super().totals(),
            "api_messages": len(self._message_ids),
            "files_touched": len(self._touched),
        }

    def _read(self, value: Mapping[str, Any]) -> str:
        kind = str(value.get("type"))
        self._at(value.get("timestamp"))
        self._learn(value)
        if value.get("subtype") == "api_error":
            self._failed(_failure_text(value), {"subtype": "api_error"})
        message = value.get("message")
        if kind == "assistant" and isinstance(message, Mapping):
            self._answer(value, message)
        elif kind == "user" and isinstance(message, Mapping):
            self._user(value, message)
        elif kind == "system":
            self._system(value)
        elif kind == "progress":
            self._progress(value)
        elif kind == "summary":
            self._note("summary", str(value.get("summary") or ""))
        if kind not in _KNOWN:
            return self._unknown(kind)
        return kind

    def _learn(self, value: Mapping[str, Any]) -> None:
        for name, key in (("version", "version"), ("cwd", "cwd"), ("branch", "gitBranch")):
            self._fact(name, value.get(key))
        if not self._has_started and "cwd" in self.facts:
            self._start({**self.facts, "permission_mode": value.get("permissionMode")})

    def _answer(self, value: Mapping[str, Any], message: Mapping[str, Any]) -> None:
        is_failure = bool(value.get("isApiErrorMessage"))
        message_id = str(message.get("id") or value.get("uuid") or "")
        content = message.get("content")
        if is_failure:
            self._failed(text_of(content), {"error": value.get("error")})
        self._fact("model", message.get("model") if message.get("model") != _SYNTHETIC else None)
        self._usage(message_id, message)
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        for block in list_of(blocks):
            if isinstance(block, Mapping):
                self._block(block, message_id, is_failure=is_failure)

    def _block(self, block: Mapping[str, Any], message_id: str, *, is_failure: bool) -> None:
        kind = block.get("type")
        if kind == "text":
            if not is_failure:
                self._text(block.get("text"), message_id)
        elif kind in {"thinking", "redacted_thinking"}:
            self._thought(block.get("thinking"), message_id)
        elif kind in {"tool_use", "server_tool_use"}:
            self._call(block.get("id"), block.get("name"), block.get("input"), message_id)
        elif kind not in _KNOWN_BLOCKS:
            self._drift(f"block:{kind}")

    def _usage(self, message_id: str, message: Mapping[str, Any]) -> None:
        usage = mapping_of(message.get("usage"))
        if not any(isinstance(usage.get(name), int | float) for name in _TOKENS):
            return
        self._message_ids.add(message_id)
        if message.get("model") == _SYNTHETIC:
            return
        self._used(
            Used(
                key=message_id,
                model=str(message.get("model") or ""),
                input_tokens=whole(usage.get("input_tokens")),
                output_tokens=whole(usage.get("output_tokens")),
                cache_read_tokens=whole(usage.get("cache_read_input_tokens")),
                cache_write_tokens=whole(usage.get("cache_creation_input_tokens")),
            )
        )

    def _user(self, value: Mapping[str, Any], message: Mapping[str, Any]) -> None:
        content = message.get("content")
        is_injected = any(value.get(key) for key in ("isMeta", "isCompactSummary", "isSidechain"))
        if isinstance(content, str):
            if not is_injected and not content.lstrip().startswith(_INJECTED_TEXTS):
                self._prompt(content)
            return
        blocks = [one for one in list_of(content) if isinstance(one, Mapping)]
        results = [one for one in blocks if one.get("type") == "tool_result"]
        for block in results:
            self._tool_result(block, value.get("toolUseResult"))
        if not results and not is_injected and any(map(_is_prompt, blocks)):
            self._prompt(text_of(blocks))

    def _tool_result(self, block: Mapping[str, Any], detail: object) -> None:
        text = text_of(block.get("content"))
        child = mapping_of(detail).get("agentId")
        call = self._result(
            block.get("tool_use_id"),
            text,
            _outcome(block, text),
            child=child if isinstance(child, str) else "",
        )
        if isinstance(child, str):
            self._child(child, str(block.get("tool_use_id") or ""))
        if call is not None and call.name in self.edit_tools and not block.get("is_error"):
            self._change(call.call_id, mapping_of(call.arguments), mapping_of(detail))

    def _change(self, call_id: str, asked: Mapping[str, Any], detail: Mapping[str, Any]) -> None:
        path = asked.get("file_path") or asked.get("notebook_path")
        if path:
            self._touched.add(str(path))
        hunks = [one for one in list_of(detail.get("structuredPatch")) if isinstance(one, Mapping)]
        self._count("structured_patch_hunks", len(hunks))
        is_new = detail.get("type") == "create"
        self._count("files_created", int(is_new))
        before = detail.get("originalFile")
        before = before if isinstance(before, str) else None
        self._edit(
            Edited(
                path=str(path or detail.get("filePath") or ""),
                call_id=call_id,
                before=before,
                after=_after(before, asked, detail, is_new=is_new),
                patch=patch_of_hunks(hunks),
                is_new=is_new,
            )
        )

    def _child(self, agent_id: str, call_id: str) -> None:
        if agent_id not in self._children:
            self._children.add(agent_id)
            self._note("subagent", agent_id, {"agent_id": agent_id, "tool_call_id": call_id})

    def _system(self, value: Mapping[str, Any]) -> None:
        subtype = str(value.get("subtype"))
        if subtype == "compact_boundary":
            self._note(
                "compaction",
                str(value.get("content") or ""),
                mapping_of(value.get("compactMetadata")),
            )
        elif subtype == "turn_duration":
            self._note("turn", "", {"duration_ms": whole(value.get("durationMs"))})
        elif subtype == "session_start":
            self._note("resume", "", {"source": value.get("source")})

    def _progress(self, value: Mapping[str, Any]) -> None:
        data = mapping_of(value.get("data"))
        child = data.get("agentId")
        if data.get("type") == "agent_progress" and isinstance(child, str):
            self._child(child, str(value.get("parentToolUseID") or ""))


def _is_prompt(block: Mapping[str, Any]) -> bool:
    text = str(block.get("text", ""))
    return block.get("type") == "text" and not text.startswith(_INJECTED_BLOCKS)


def _outcome(block: Mapping[str, Any], text: str) -> Outcome:
    if not block.get("is_error"):
        return "ok"
    return "refused" if text.startswith(_REJECTED) else "failed"


def _after(
    before: str | None, asked: Mapping[str, Any], detail: Mapping[str, Any], *, is_new: bool
) -> str | None:
    """Return the content after a change, where the transcript says enough for it."""
    content = detail.get("content", asked.get("content"))
    if isinstance(content, str):
        return content
    if before is None and not is_new:
        return None
    found: str | None = before or ""
    edits = list_of(asked.get("edits")) or [asked]
    for edit in edits:
        one = mapping_of(edit)
        old, new = one.get("old_string"), one.get("new_string")
        if found is None or not isinstance(old, str) or not isinstance(new, str):
            return None
        found = replace_text(found, old, new, is_all=bool(one.get("replace_all")))
    return found


def _failure_text(value: Mapping[str, Any]) -> str:
    error = mapping_of(value.get("error"))
    found = error.get("message") or value.get("content") or error.get("type") or "API error"
    return str(found)
