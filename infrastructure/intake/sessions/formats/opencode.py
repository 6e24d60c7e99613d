"""OpenCode: its files, its database, its export and its stream: messages and their parts. Pure."""

from collections.abc import Mapping
from typing import Any

from infrastructure.intake.sessions.reader import Reader, list_of, mapping_of, whole
from infrastructure.intake.sessions.records import Edited, Used

_KNOWN_PARTS = frozenset(
    {
        *("text", "reasoning", "tool", "tool-invocation", "step-start", "step-finish", "patch"),
        *("file", "snapshot", "agent", "compaction", "subtask", "retry"),
    }
)


class OpenCodeReader(Reader):
    """Reads messages, each followed by its parts."""

    edit_tools = frozenset({"edit", "write", "multiedit", "patch", "apply_patch"})
    subagent_tools = frozenset({"task"})
    is_paired = False

    def __init__(self) -> None:
        super().__init__()
        self._roles: dict[str, str] = {}
        self._models: dict[str, str] = {}
        self._touched: set[object] = set()
        self._messages = 0

    def totals(self) -> dict[str, int]:
        """See Reader."""
        return {
            **super().totals(),
            "files_touched": len(self._touched),
            "messages": self._messages,
        }

    def _read(self, value: Mapping[str, Any]) -> str:
        kind = value.get("swarm_record")
        data = mapping_of(value.get("data"))
        if kind == "session":
            return self._session(data)
        if kind == "message":
            return self._message(data)
        if kind == "part":
            return self._part(data, str(value.get("role") or ""), str(value.get("message") or ""))
        return self._streamed(value)

    def _session(self, data: Mapping[str, Any]) -> str:
        self._at(mapping_of(data.get("time")).get("created"))
        self._fact("cwd", data.get("directory"))
        self._fact("parent", data.get("parentID"))
        self._fact("version", data.get("version"))
        self._fact("title", data.get("title"))
        self._start({**self.facts, "id": data.get("id")})
        return "session"

    def _message(self, data: Mapping[str, Any]) -> str:
        self._messages += 1
        message_id = str(data.get("id") or "")
        self._roles[message_id] = str(data.get("role") or "")
        self._at(mapping_of(data.get("time")).get("created"))
        provider, model = data.get("providerID"), data.get("modelID")
        self._models[message_id] = f"{provider}:{model}" if provider and model else ""
        self._fact("model", self._models[message_id])
        if data.get("error"):
            self._message_failed(mapping_of(data.get("error")))
        tokens = mapping_of(data.get("tokens"))
        if data.get("role") == "assistant" and tokens:
            self._usage(message_id, tokens, data.get("cost"))
        return f"message/{data.get('role')}"

    def _message_failed(self, error: Mapping[str, Any]) -> None:
        text = mapping_of(error.get("data")).get("message") or error.get("name") or "error"
        if self.counts_message_errors:
            self._failed(str(text))
        else:
            self._note("notice", str(text), {"level": "error"})

    counts_message_errors = False
    """Errors of messages count as errors of the API; in the export they are the only ones."""

    def _usage(self, key: str, tokens: Mapping[str, Any], cost: object) -> None:
        cache = mapping_of(tokens.get("cache"))
        self._used(
            Used(
                key=key,
                model=self._models.get(key, ""),
                input_tokens=whole(tokens.get("input")),
                output_tokens=whole(tokens.get("output")) + whole(tokens.get("reasoning")),
                cache_read_tokens=whole(cache.get("read")),
                cache_write_tokens=whole(cache.get("write")),
                cost_usd=float(cost) if isinstance(cost, int | float) else None,
            )
        )

    def _streamed(self, value: Mapping[str, Any]) -> str:
        """Read a line of the stream, which is about the model's parts only."""
        kind = str(value.get("type"))
        self._at(value.get("timestamp"))
        part = mapping_of(value.get("part"))
        if kind in {"text", "tool_use", "reasoning"}:
            self._part(part, "assistant", str(part.get("messageID") or ""))
            return kind
        if kind == "step_finish":
            tokens = mapping_of(part.get("tokens"))
            if tokens:
                self._usage(str(part.get("id") or ""), tokens, part.get("cost"))
            return kind
        if kind == "error":
            self._note("notice", str(value.get("error") or ""), {"level": "error"})
            return kind
        return kind if kind == "step_start" else self._unknown(kind)

    def _part(self, part: Mapping[str, Any], role: str, message_id: str) -> str:
        kind = part.get("type")
        role = role or self._roles.get(message_id, "")
        begun = mapping_of(part.get("time")).get("start")
        if begun:
            self._at(begun)
        if role == "user":
            if kind == "text" and not part.get("synthetic"):
                self._prompt(part.get("text"))
        elif kind == "text":
            self._text(part.get("text"), message_id)
        elif kind == "reasoning":
            self._thought(part.get("text"), message_id)
        elif kind in {"tool", "tool-invocation"}:
            self._tool(part, message_id)
        elif kind == "compaction":
            self._note("compaction", "", {"auto": part.get("auto")})
        if kind not in _KNOWN_PARTS:
            return self._unknown(f"part/{kind}")
        return f"part/{kind}"

    def _tool(self, part: Mapping[str, Any], message_id: str) -> None:
        state = mapping_of(part.get("state"))
        status, name = state.get("status"), str(part.get("tool") or "")
        call_id = str(part.get("callID") or part.get("id") or "")
        times = mapping_of(state.get("time"))
        self._at(times.get("start") or self._now_ns / 1e9)
        self._call(call_id, name, state.get("input"), message_id)
        if status not in {"completed", "error"}:
            self._count("unanswered_calls")
            return
        detail = mapping_of(state.get("metadata"))
        text = state.get("error") if status == "error" else state.get("output")
        begun, ended = whole(times.get("start")), whole(times.get("end"))
        child = str(detail.get("sessionId") or "")
        self._result(
            call_id,
            str(text or ""),
            "failed" if status == "error" else "ok",
            child=child,
            duration_us=max(0, ended - begun) * 1000 if begun and ended else 0,
        )
        if child:
            self._note("subagent", child, {"tool_call_id": call_id})
        if status == "completed":
            if name in self.edit_tools:
                self._change(state, detail, call_id)
            if detail.get("exit") not in {None, 0}:
                self._count("nonzero_exit")

    def _change(self, state: Mapping[str, Any], detail: Mapping[str, Any], call_id: str) -> None:
        asked = mapping_of(state.get("input"))
        path = asked.get("filePath")
        self._touched.add(path)
        files = mapping_of(detail.get("filediff"))
        before, after = files.get("before"), files.get("after", asked.get("content"))
        diff = detail.get("diff")
        self._edit(
            Edited(
                path=str(path or ""),
                call_id=call_id,
                before=before if isinstance(before, str) else None,
                after=after if isinstance(after, str) else None,
                patch=diff if isinstance(diff, str) else "",
                is_new=detail.get("exists") is False,
            )
        )


class OpenCodeExportReader(OpenCodeReader):
    """Reads what `opencode export` writes."""

    counts_message_errors = True


def records_of_export(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the records of an export in order."""
    found: list[dict[str, Any]] = [
        {"swarm_record": "session", "data": mapping_of(document.get("info"))}
    ]
    for message in list_of(document.get("messages")):
        info = mapping_of(mapping_of(message).get("info"))
        found.append({"swarm_record": "message", "data": info})
        found += [
            {"swarm_record": "part", "data": part, "role": info.get("role"), "message": info["id"]}
            for part in list_of(mapping_of(message).get("parts"))
            if isinstance(part, Mapping) and "id" in info
        ]
    return found
