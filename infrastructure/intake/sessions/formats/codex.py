"""Codex: rollouts and the stream of `codex exec --json`; versions 0.50 to 0.169. Pure.

The same thing is often said twice, by the model (`response_item`) and for the screen (`event_msg`):
the first counts where a rollout has it at all, so the second is read as a late record.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from infrastructure.intake.sessions.patches import PatchedFile, files_of_patch
from infrastructure.intake.sessions.reader import Reader, list_of, mapping_of, parse_json, whole
from infrastructure.intake.sessions.records import Edited, Outcome, Said, Used

_INJECTED = (
    *("<environment_context", "<user_instructions", "# AGENTS.md", "<turn_aborted"),
    *("<subagent_notification", "<permissions"),
)
_CALLS = frozenset(
    {
        *("function_call", "custom_tool_call", "local_shell_call", "web_search_call"),
        *("tool_search_call", "image_generation_call", "tool_call"),
    }
)
_ANSWERED_AT_ONCE = frozenset({"web_search_call", "image_generation_call", "local_shell_call"})
_RESULTS = frozenset(
    {"function_call_output", "custom_tool_call_output", "tool_search_output", "tool_result"}
)
_STREAM_TOOLS = frozenset(
    {"command_execution", "collab_tool_call", "mcp_tool_call", "web_search", "todo_list"}
)
_EXIT_CODE = re.compile(r'(?:Exit code:|exited with code|"exit_code":)\s*(-?\d+)')
_FAILED = re.compile(
    r'\s*"?(apply_patch verification failed|patch failed|execution error|failed |aborted'
    r"|user rejected|rejected)",
    re.IGNORECASE,
)
_REFUSED = re.compile(r'\s*"?(?:user rejected|rejected|aborted)', re.IGNORECASE)
_PATCH = "*** Begin Patch"
_PATCHED = "Success. Updated the following files"
_PATCH_FILES = re.compile(r"\*\*\* (?:Add|Update|Delete) File: (\S.*?)(?:\\n|\n|$)")
_KNOWN = frozenset(
    {
        *("session_meta", "turn_context", "response_item", "event_msg", "compacted", "world_state"),
        *("token_usage_record", "inter_agent_communication_metadata"),
        *("thread.started", "turn.started", "turn.completed", "turn.failed", "error"),
        *("item.started", "item.updated", "item.completed", "message", "reasoning"),
        *(_CALLS | _RESULTS),
    }
)
_KNOWN_ITEMS = (
    _CALLS
    | _RESULTS
    | {
        *("message", "reasoning", "ghost_snapshot", "agent_message", "additional_tools"),
        *("compaction", "compaction_summary", "context_compaction"),
    }
)


class CodexReader(Reader):
    """Reads one rollout, or one stream of events."""

    subagent_tools = frozenset({"spawn_agent"})

    def __init__(self) -> None:
        super().__init__()
        self._item_counts = {"text": 0, "thinking": 0, "prompt": 0}
        self._screen_counts = {"text": 0, "thinking": 0, "prompt": 0}
        self._failed_commands = 0
        self._has_changes = False
        self._patches: dict[str, str] = {}
        self._applied: dict[str, int] = {}
        self._touched: set[str] = set()
        self._late_touched: set[str] = set()
        self._is_legacy = False
        self._model = ""

    @property
    def late_kinds(self) -> frozenset[str]:
        """See Reader."""
        kinds = {kind for kind, count in self._item_counts.items() if not count}
        return frozenset(kinds if self._has_changes else {*kinds, "edit"})

    def totals(self) -> dict[str, int]:
        """See Reader."""
        names = {"text": "assistant_text", "thinking": "thinking", "prompt": "user_prompts"}
        for kind, name in names.items():
            self.counts[name] = self._item_counts[kind] or self._screen_counts[kind]
        counted = super().totals()
        counted["nonzero_exit"] = max(counted["nonzero_exit"], self._failed_commands)
        touched = self._touched
        if not self._has_changes:
            counted["file_edits"] += sum(self._applied.values())
            touched = touched | self._late_touched
        counted["files_touched"] = len(touched)
        return counted

    def _read(self, value: Mapping[str, Any]) -> str:
        kind = str(value.get("type"))
        self._at(value.get("timestamp"))
        payload = value.get("payload")
        if not isinstance(payload, Mapping):
            self._bare(kind, value)
            return kind if kind in _KNOWN else self._unknown(kind)
        if kind == "session_meta":
            self._meta(payload)
        elif kind == "turn_context":
            self._model = str(payload.get("model") or self._model)
            self._fact("model", payload.get("model"))
        elif kind == "response_item":
            self._item(payload)
        elif kind == "event_msg":
            self._screen(payload)
        elif kind == "compacted":
            self._note("compaction", str(payload.get("message") or ""))
        if self._is_legacy and kind not in {"response_item", "event_msg"}:
            self._item(payload)
        if kind not in _KNOWN:
            return self._unknown(kind)
        named = payload.get("type")
        return f"{kind}/{named}" if isinstance(named, str) and named else kind

    def _meta(self, payload: Mapping[str, Any]) -> None:
        for name in ("id", "cwd", "cli_version", "agent_nickname"):
            self._fact(name, payload.get(name))
        self._fact("version", payload.get("cli_version"))
        spawned = mapping_of(mapping_of(payload.get("source")).get("subagent"))
        thread = mapping_of(spawned.get("thread_spawn")).get("parent_thread_id")
        self._fact("parent", payload.get("parent_thread_id") or thread)
        git = mapping_of(payload.get("git"))
        self._fact("branch", git.get("branch"))
        self._start({**self.facts, "source": payload.get("source"), "git": dict(git)})

    def _bare(self, kind: str, value: Mapping[str, Any]) -> None:
        """Read a line of the stream of events, or of a rollout before there were envelopes."""
        self._is_legacy = True
        item = value.get("item")
        if isinstance(item, Mapping):
            if kind == "item.completed":
                self._stream_item(item)
            return
        if kind == "thread.started":
            self._start({"id": value.get("thread_id")})
        elif kind == "turn.failed":
            self._failed(str(mapping_of(value.get("error")).get("message") or "turn failed"))
        elif kind == "error":
            self._note("notice", str(value.get("message") or ""))
        elif kind == "turn.completed":
            self._stream_usage(mapping_of(value.get("usage")))
        else:
            self._item(value)

    def _stream_item(self, item: Mapping[str, Any]) -> None:
        kind = item.get("type")
        if kind == "agent_message":
            self._say("text", str(item.get("text") or ""))
        elif kind == "reasoning":
            self._say("thinking", str(item.get("text") or ""))
        elif kind in _STREAM_TOOLS:
            self._stream_call(str(kind), item)
        elif kind == "file_change":
            self._stream_change(item)
        elif kind == "error":
            self._note("notice", str(item.get("message") or ""))
        else:
            self._drift(f"item:{kind}")

    def _stream_call(self, kind: str, item: Mapping[str, Any]) -> None:
        name = str(item.get("tool") or kind)
        asked = {
            key: one
            for key, one in item.items()
            if key in {"command", "arguments", "query", "prompt", "server", "items"}
        }
        self._call(item.get("id"), name, asked)
        self._exit(item.get("exit_code"))
        text = item.get("aggregated_output") or item.get("result") or ""
        outcome: Outcome = "failed" if item.get("status") == "failed" else "ok"
        self._result(item.get("id"), _text(text), outcome)
        if outcome != "ok":
            self._count("errors", -1)  # a command that failed is no failed call

    def _stream_change(self, item: Mapping[str, Any]) -> None:
        changes = [one for one in list_of(item.get("changes")) if isinstance(one, Mapping)]
        self._call(item.get("id"), "file_change", {"changes": changes}, is_edit=True)
        is_done = item.get("status") == "completed"
        self._result(item.get("id"), str(item.get("status") or ""), "ok" if is_done else "failed")
        if not is_done:
            self._count("errors", -1)
            return
        for change in changes:
            path = str(change.get("path") or "")
            self._touched.add(path)
            kind = change.get("kind")
            self._edit(
                Edited(
                    path=path,
                    call_id=str(item.get("id") or ""),
                    is_new=kind == "add",
                    is_gone=kind == "delete",
                )
            )

    def _stream_usage(self, usage: Mapping[str, Any]) -> None:
        if usage:
            self._used(_total(usage, self._model))

    def _item(self, item: Mapping[str, Any]) -> None:
        kind = item.get("type")
        if kind == "message":
            self._message(item)
        elif kind == "reasoning":
            summary = [mapping_of(one).get("text") for one in list_of(item.get("summary"))]
            summary += [mapping_of(one).get("text") for one in list_of(item.get("content"))]
            self._say("thinking", "\n".join(str(one) for one in summary if one))
        elif kind in _CALLS:
            self._tool_call(str(kind), item)
        elif kind in _RESULTS:
            self._tool_output(item)
        elif kind not in _KNOWN_ITEMS and not self._is_legacy:
            self._drift(f"item:{kind}")

    def _message(self, item: Mapping[str, Any]) -> None:
        content = item.get("content")
        text = (
            "".join(str(one.get("text", "")) for one in content if isinstance(one, Mapping))
            if isinstance(content, list)
            else str(content or "")
        )
        if not text.strip():
            return
        if item.get("role") == "assistant":
            self._say("text", text, str(item.get("id") or ""))
        elif item.get("role") == "user" and not text.lstrip().startswith(_INJECTED):
            self._say("prompt", text)

    def _tool_call(self, kind: str, item: Mapping[str, Any]) -> None:
        call_id = item.get("call_id") or item.get("id")
        asked = item.get("input") or item.get("arguments") or ""
        text = _text(asked)
        is_edit = item.get("name") == "apply_patch" or _PATCH in text
        if is_edit:
            self._patches[str(call_id)] = text
        name = str(item.get("name") or kind.removesuffix("_call"))
        space = item.get("namespace")
        arguments = asked or item.get("action") or {}
        full = f"{space}.{name}" if isinstance(space, str) and space else name
        call = self._call(call_id, name, arguments, is_edit=is_edit)
        call.name = full
        if kind in _ANSWERED_AT_ONCE:
            self._answered.add(str(call_id))

    def _tool_output(self, item: Mapping[str, Any]) -> None:
        call_id = str(item.get("call_id"))
        text = _text(item["output"] if "output" in item else item.get("content"))
        match = _EXIT_CODE.search(text)
        if match and int(match[1]) != 0:
            self._count("nonzero_exit")
        is_failed = bool(_FAILED.match(text)) or "verification failed" in text[:200]
        outcome: Outcome = "failed" if is_failed else "ok"
        if is_failed and _REFUSED.match(text):
            outcome = "refused"
        known = self._calls.get(call_id)
        is_child = known is not None and known.name.rpartition(".")[2] in self.subagent_tools
        child = _child(text) if is_child else ""
        self._result(item.get("call_id"), text, outcome, child=child)
        if child:
            self._note("subagent", child, {"tool_call_id": call_id})
        patch = self._patches.get(call_id)
        if patch is not None and _PATCHED in text and call_id not in self._applied:
            names = _PATCH_FILES.findall(patch)
            self._applied[call_id] = len(names)
            self._late_touched.update(names)
            for file in files_of_patch(_patch_text(patch)):
                self._add(_edited(file, call_id))

    def _exit(self, code: object) -> None:
        if code not in {0, None}:
            self._count("nonzero_exit")

    def _say(self, speech: str, text: str, message_id: str = "") -> None:
        self._item_counts[speech] += 1
        self._add(Said(speech=speech, text=text, message_id=message_id))  # type: ignore[arg-type]

    def _show(self, speech: str, text: str) -> None:
        """Something for the screen, which counts where no item says the same."""
        self._screen_counts[speech] += 1
        self._add(Said(speech=speech, text=text, is_late=True))  # type: ignore[arg-type]

    def _screen(self, payload: Mapping[str, Any]) -> None:
        kind = payload.get("type")
        if kind == "agent_message":
            self._show("text", str(payload.get("message") or ""))
        elif kind in {"agent_reasoning", "agent_reasoning_raw_content"}:
            self._show("thinking", str(payload.get("text") or ""))
        elif kind == "user_message":
            self._show("prompt", str(payload.get("message") or ""))
        elif kind == "patch_apply_end":
            self._patch_end(payload, is_done=bool(payload.get("success")))
        elif kind == "item_completed":
            self._screen_item(mapping_of(payload.get("item")))
        elif kind == "token_count":
            total = mapping_of(payload.get("info")).get("total_token_usage")
            if isinstance(total, Mapping):
                self._used(_total(total, self._model))
        else:
            self._screen_notice(str(kind), payload)

    def _screen_notice(self, kind: str, payload: Mapping[str, Any]) -> None:
        if kind in {"error", "stream_error"}:
            error = mapping_of(payload.get("error"))
            self._failed(str(payload.get("message") or error.get("message") or kind))
        elif kind == "context_compacted":
            self._note("compaction")
        elif kind == "turn_aborted":
            self._note("notice", f"turn aborted: {payload.get('reason') or ''}")

    def _screen_item(self, item: Mapping[str, Any]) -> None:
        kind = item.get("type")
        if kind == "FileChange":
            self._patch_end(item, is_done=item.get("status") == "completed")
        elif kind == "CommandExecution":
            self._failed_commands += item.get("exit_code") not in {0, None}
        elif kind == "UserMessage":
            content = list_of(item.get("content"))
            self._show("prompt", "".join(str(mapping_of(one).get("text", "")) for one in content))
        elif kind == "SubAgentActivity":
            self._note("subagent", str(item.get("agent_thread_id") or ""), {"item": item.get("id")})

    def _patch_end(self, payload: Mapping[str, Any], *, is_done: bool) -> None:
        self._has_changes = True
        if not is_done:
            self._count("errors")
            return
        call_id = str(payload.get("call_id") or payload.get("id") or "")
        for path, change in mapping_of(payload.get("changes")).items():
            one = mapping_of(change)
            kind, content = one.get("type"), one.get("content")
            moved = str(one.get("move_path") or "")
            text = content if isinstance(content, str) else None
            self._touched.add(path)
            self._edit(
                Edited(
                    path=moved or path,
                    call_id=call_id,
                    before=text if kind == "delete" else None,
                    after=text if kind == "add" else None,
                    patch=str(one.get("unified_diff") or ""),
                    is_new=kind == "add",
                    is_gone=kind == "delete",
                    moved_from=path if moved else "",
                )
            )


def _edited(file: PatchedFile, call_id: str) -> Edited:
    return Edited(
        path=file.moved_to or file.path,
        call_id=call_id,
        after=file.content,
        patch=file.patch,
        is_new=file.is_new,
        is_gone=file.is_gone,
        moved_from=file.path if file.moved_to else "",
        is_late=True,
    )


def _patch_text(text: str) -> str:
    """Return a patch as it was applied: it may stand in JSON, or in a command within it."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    found = next((one for one in mapping_of(value).values() if _PATCH in _text(one)), text)
    return found if isinstance(found, str) else "\n".join(map(str, list_of(found)))


def _child(text: str) -> str:
    """Return the session of the agent that was started."""
    found = mapping_of(parse_json(text)).get("agent_id")
    return found if isinstance(found, str) else ""


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _total(usage: Mapping[str, Any], model: str) -> Used:
    return Used(
        key="total",
        model=model,
        input_tokens=whole(usage.get("input_tokens")),
        output_tokens=whole(usage.get("output_tokens")),
        cache_read_tokens=whole(usage.get("cached_input_tokens")),
        cache_write_tokens=whole(usage.get("cache_write_input_tokens")),
        counts_cached=True,
        is_total=True,
    )
