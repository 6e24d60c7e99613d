"""Turns what a hook says into events of the swarm. Pure.

Hooks say one thing at a time and carry no times: what they say is stamped where it is received. A
call of a tool is told twice, before it runs and with its answer; the id of the call joins both, and
both with what the transcript says of it. Formats of tools are those of the transcripts, so that
their readers read them here too.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from infrastructure.intake.gate.answers import BEFORE_TOOL, CLAUDE_CODE, CODEX
from infrastructure.intake.sessions.file_changes import FileStates
from infrastructure.intake.sessions.formats.claude_code import ClaudeCodeReader
from infrastructure.intake.sessions.formats.codex import CodexReader
from infrastructure.intake.sessions.identity import Identity, agent_name, event_id, identify
from infrastructure.intake.sessions.reader import Reader, mapping_of, parse_json, text_of
from infrastructure.intake.sessions.records import Answered, Edited
from nervous_system import events
from nervous_system.payloads import Payload, build_message
from nervous_system.schemas import SessionMark, ToolCall

MAPPER = "hooks@1"
HARNESSES = (CLAUDE_CODE, CODEX)
UNKNOWN_SESSION = "unknown"
MALFORMED = "malformed"
MAX_TEXT_CHARACTERS = 256 * 1024
_PREFIX_OF_FILES = "hooks"
_MARKS = {
    "SessionStart": ("start", "source"),
    "SessionEnd": ("end", "reason"),
    "UserPromptSubmit": ("prompt", "prompt"),
    "PreCompact": ("compaction", "trigger"),
    "PostCompact": ("compaction", "trigger"),
    "Notification": ("notice", "message"),
    "SubagentStart": ("subagent", "agent_id"),
    "SubagentStop": ("subagent", "agent_id"),
}
"""Name of a hook to the type of a mark, and to what of the payload is its text."""
_ENDS = frozenset({"Stop", "SubagentStop"})
_ABOUT = (
    *("cwd", "model", "permission_mode", "source", "reason", "trigger", "agent_type"),
    *("transcript_path", "agent_transcript_path", "notification_type", "custom_instructions"),
)
"""What of a payload goes into the document of a mark."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """One call of a hook, its secrets taken out."""

    harness: str
    delivery: str
    """Name of this call, by which a repeat is recognised."""
    at_ns: int
    line: bytes
    value: Mapping[str, Any]
    """What the line holds; empty: it is no JSON object."""
    asked: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """The same before anything was taken out: for the gate's eyes, and for no event."""
    digest: str = ""
    """Of the line before anything was taken out."""
    redactions: Mapping[str, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Of the event in the life of the agent."""
        name = self.value.get("hook_event_name")
        return name if isinstance(name, str) and name else MALFORMED

    @property
    def is_before_tool(self) -> bool:
        """Whether a tool is about to run."""
        return self.name == BEFORE_TOOL

    @property
    def identity(self) -> Identity:
        """Whose session it is."""
        session = self.value.get("session_id")
        child = self.value.get("agent_id")
        named = session if isinstance(session, str) and session else UNKNOWN_SESSION
        if not isinstance(child, str) or child in {"", named} or self.name in _OWN:
            return identify(self.harness, MAPPER, "hook", named)
        if self.harness == CODEX:  # its sub-agents have sessions of their own
            return identify(self.harness, MAPPER, "hook", child, parent_session=named)
        return identify(self.harness, MAPPER, "hook", named, child=child)

    def text(self, name: str) -> str:
        """Return a text of the payload; what is none is empty."""
        value = self.value.get(name)
        return value if isinstance(value, str) else ""


_OWN = frozenset({"SubagentStart", "SubagentStop"})
"""Said by the parent of a sub-agent, although the sub-agent is named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An event to be published, all but its envelope."""

    event_id: str
    payload: Payload
    attributes: Mapping[str, str]
    workspace_id: str
    caused_by: tuple[str, ...] = ()
    redactions: Mapping[str, int] = field(default_factory=dict)


def read_payload(line: bytes) -> Mapping[str, Any]:
    """Return the object that a payload holds; empty: it holds none."""
    return mapping_of(parse_json(line.decode("utf-8", "replace")))


def tell(hook: Hook) -> list[Told]:
    """Return the events that a hook makes: the line that it is, and what it says."""
    identity = hook.identity
    shared = {**identity.attributes, "hook": hook.name, **_joins(hook)}
    told = [_line(hook, shared)]
    for number, (payload, extra) in enumerate(_said(hook)):
        is_change = events.kind_of_payload(payload) == "state_change"
        # The transcript of the session may tell the same change: each tells a history of its own.
        workspace = f"{_PREFIX_OF_FILES}:{identity.run_id}" if is_change else identity.run_id
        told.append(
            Told(
                event_id=_id(hook, str(number)),
                payload=payload,
                attributes={**shared, **extra},
                workspace_id=workspace,
                caused_by=_causes(hook, payload),
            )
        )
    return told


def call_event_id(hook: Hook) -> str:
    """Return the id of the event that says that a tool is about to run."""
    return event_id(hook.identity.key, _call(hook).encode(), 0, "before")


def _joins(hook: Hook) -> dict[str, str]:
    names = {"prompt_id": "prompt_id", "turn_id": "turn_id", "agent_type": "agent_type"}
    return {to: hook.text(name) for name, to in names.items() if hook.text(name)}


def _id(hook: Hook, name: str) -> str:
    if hook.is_before_tool and name == "0" and _call(hook):
        return call_event_id(hook)
    return event_id(hook.identity.key, hook.delivery.encode(), 0, name)


def _call(hook: Hook) -> str:
    return hook.text("tool_use_id")


def _causes(hook: Hook, payload: Payload) -> tuple[str, ...]:
    """What a tool did follows from the event that said it was about to run."""
    if hook.is_before_tool or not _call(hook) or isinstance(payload, SessionMark):
        return ()
    return (call_event_id(hook),)


def _line(hook: Hook, attributes: Mapping[str, str]) -> Told:
    return Told(
        event_id=_id(hook, "line"),
        payload=events.session_line(
            hook.line, source="hook", number=0, digest=hook.digest, type=_line_type(hook)
        ),
        attributes=attributes,
        workspace_id=hook.identity.run_id,
        redactions=hook.redactions,
    )


def _line_type(hook: Hook) -> str:
    known = hook.name in _MARKS or hook.name in _ENDS or hook.name in _TOOL_HOOKS
    return hook.name if known or hook.name == MALFORMED else f"unknown:{hook.name}"


_TOOL_HOOKS = frozenset({BEFORE_TOOL, "PostToolUse", "PostToolUseFailure"})
_Said = Iterator[tuple[Payload, dict[str, str]]]


def _said(hook: Hook) -> _Said:
    if hook.name == BEFORE_TOOL:
        yield _call_payload(hook), {}
    elif hook.name in _TOOL_HOOKS:
        yield from _answered(hook)
    if hook.name in _MARKS:
        yield _mark(hook), _child(hook)
    if hook.name in _ENDS and hook.text("last_assistant_message").strip():
        text = hook.text("last_assistant_message")[:MAX_TEXT_CHARACTERS]
        yield events.decision(rationale=text), {"speech": "text", **_child(hook)}


def _child(hook: Hook) -> dict[str, str]:
    """Say which sub-agent a mark is about."""
    child = hook.text("agent_id")
    if hook.name not in _OWN or not child:
        return {}
    return {
        "child_agent": child,
        "child_agent_id": agent_name(hook.harness, hook.identity.run_id, child),
    }


def _mark(hook: Hook) -> Payload:
    kind, text = _MARKS[hook.name]
    about = {name: hook.text(name) for name in _ABOUT if hook.text(name)}
    return events.session_mark(
        kind, text=hook.text(text)[:MAX_TEXT_CHARACTERS], document={"hook": hook.name, **about}
    )


def _call_payload(hook: Hook) -> ToolCall:
    """Return a call whose outcome nobody knows yet."""
    return build_message(
        ToolCall,
        tool_name=hook.text("tool_name"),
        tool_call_id=_call(hook),
        tool_arguments=_arguments(hook),
    )


def _arguments(hook: Hook) -> str:
    given = hook.value.get("tool_input")
    value = given if isinstance(given, Mapping) else {} if given is None else {"input": given}
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if len(text) > MAX_TEXT_CHARACTERS:
        return json.dumps({"left_out_characters": len(text)})
    return text


def _answered(hook: Hook) -> _Said:
    records = _records(hook)
    answer = next((one for one in records if isinstance(one, Answered)), None)
    outcome = answer.outcome if answer else "ok"
    if hook.value.get("is_interrupt") is True:
        outcome = "refused"
    yield (
        events.tool_call(
            hook.text("tool_name"),
            call_id=_call(hook),
            arguments=_arguments(hook),
            result=answer.text if answer else "",
            outcome=outcome,
            duration_us=_duration_us(hook),
        ),
        {"child_agent": answer.child} if answer and answer.child else {},
    )
    files = FileStates()
    for record in records:
        if isinstance(record, Edited):
            change = files.change(record, hook.text("cwd"))
            extra = {
                "tool_call_id": _call(hook),
                **({"states": change.states} if change.states else {}),
            }
            yield change.build(), extra


def _duration_us(hook: Hook) -> int:
    value = hook.value.get("duration_ms")
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e12:
        return 0
    return int(value * 1000)


def _records(hook: Hook) -> list[Any]:
    """Return what the reader of transcripts makes of a call and its answer."""
    reader: Reader = CodexReader() if hook.harness == CODEX else ClaudeCodeReader()
    lines = _codex_lines(hook) if hook.harness == CODEX else _claude_lines(hook)
    return [record for line in lines for record in reader.read(line)[1]]


def _claude_lines(hook: Hook) -> list[Mapping[str, Any]]:
    response = hook.value.get("tool_response")
    is_failure = hook.name == "PostToolUseFailure"
    text = hook.text("error") if is_failure else _response_text(response)
    call = {"type": "tool_use", "id": _call(hook), "name": hook.text("tool_name")}
    result = {"type": "tool_result", "tool_use_id": _call(hook), "content": text}
    return [
        {
            "type": "assistant",
            "message": {"content": [{**call, "input": hook.value.get("tool_input")}]},
        },
        {
            "type": "user",
            "message": {"content": [{**result, "is_error": is_failure}]},
            "toolUseResult": None if is_failure else response,
        },
    ]


def _codex_lines(hook: Hook) -> list[Mapping[str, Any]]:
    asked = hook.value.get("tool_input")
    is_patch = hook.text("tool_name") == "apply_patch"
    text = mapping_of(asked).get("command") if is_patch else asked
    kind = "custom_tool_call" if is_patch else "function_call"
    given = {"input": text} if is_patch else {"arguments": json.dumps(text)}
    call = {"type": kind, "call_id": _call(hook), "name": hook.text("tool_name"), **given}
    answer = {
        "type": f"{kind}_output",
        "call_id": _call(hook),
        "output": _response_text(hook.value.get("tool_response")),
    }
    return [{"type": "response_item", "payload": one} for one in (call, answer)]


def _response_text(response: Any) -> str:
    if response is None or isinstance(response, str):
        return response or ""
    shown = mapping_of(response)
    if isinstance(shown.get("stdout"), str):
        parts = (shown["stdout"], shown.get("stderr"))
        return "\n".join(part for part in parts if isinstance(part, str) and part)
    if isinstance(response, list):
        return text_of(response)
    return json.dumps(response, ensure_ascii=False)
