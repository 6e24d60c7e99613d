"""Hooks in the settings of a harness: put in, found, taken out. Pure.

Both harnesses have them as `hooks: {EVENT: [{matcher, hooks: [{type, command, timeout}]}]}`. Ours
are known by the command that they run, so that they are found whoever has moved them since.
"""

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from infrastructure.intake.errors import IntakeError
from infrastructure.intake.gate.answers import BEFORE_TOOL, CLAUDE_CODE, CODEX
from infrastructure.intake.hooks.json_text import insert_last, member, members_at, remove, root

TIMEOUT_SECONDS = 10
"""How long a harness waits for a hook; ours takes a fraction of a second, a gate at most four."""
SCRIPT = "intake/hooks/command.py"
HTTP_PATH = "/v1/hooks/"
_WITH_TOOL = (BEFORE_TOOL, "PostToolUse", "PostToolUseFailure")
EVENTS: Mapping[str, tuple[str, ...]] = {
    CLAUDE_CODE: (
        *("SessionStart", "UserPromptSubmit", "PreToolUse", "PostToolUse", "PostToolUseFailure"),
        *("SubagentStart", "SubagentStop", "PreCompact", "Notification", "Stop", "SessionEnd"),
    ),
    CODEX: (
        *("SessionStart", "UserPromptSubmit", "PreToolUse", "PostToolUse"),
        *("SubagentStart", "SubagentStop", "PreCompact", "Stop", "SessionEnd"),
    ),
}


class SettingsError(IntakeError):
    """Settings of a harness are not what they should be; nothing was written."""

    def __init__(self, *, path: str, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{path}: {reason}; nothing was written")


@dataclass(frozen=True, slots=True, kw_only=True)
class Handler:
    """What a harness is to call."""

    harness: str
    python: str
    script: str
    home: str
    policy: str = ""
    """Absolute path of the gate's policy; empty: no gate."""
    url: str = ""
    """Of the receiver, where the harness is to post by itself; empty: it runs the command."""

    def entry(self, event: str) -> dict[str, Any]:
        """Return what stands in the settings for one event."""
        group = {"matcher": "*"} if event in _WITH_TOOL else {}
        if self.url and not (self.policy and event == BEFORE_TOOL):
            target: dict[str, Any] = {"type": "http", "url": f"{self.url}{HTTP_PATH}{self.harness}"}
        else:
            target = {"type": "command", "command": self.command(event)}
        return {**group, "hooks": [{**target, "timeout": TIMEOUT_SECONDS}]}

    def command(self, event: str) -> str:
        """Return the command; one of the gate blocks the tool however it fails."""
        words = [self.python, "-I", "-S", self.script, self.harness, self.home]
        if self.policy and event == BEFORE_TOOL:
            return f"{shlex.join([*words, 'gate', self.policy])} || exit 2"
        return shlex.join(words)


def with_hooks(text: str, handler: Handler, path: str) -> str:
    """Return settings with our hooks in them, in the place of earlier ones of ours.

    Args:
        text: of the settings; empty: there are none yet.
        handler: what is to be called.
        path: of the settings, for errors.

    Raises:
        SettingsError: they cannot be read.
    """
    changed = without_hooks(text, path) if text.strip() else "{}\n"
    try:
        changed = _with_object(changed, root(changed), "hooks", path)
        for event in EVENTS[handler.harness]:
            changed = _with_entry(changed, event, handler.entry(event), path)
    except ValueError as error:
        raise SettingsError(path=path, reason=str(error)) from error
    return changed


def without_hooks(text: str, path: str) -> str:
    """Return settings without our hooks, and without what they leave empty.

    Raises:
        SettingsError: they cannot be read.
    """
    _checked(text, path)
    try:
        while (place := next(_ours(text), None)) is not None:
            text = _without(text, place)
    except ValueError as error:
        raise SettingsError(path=path, reason=str(error)) from error
    return text


def hooks_of(text: str, path: str) -> list[tuple[str, str]]:
    """Return event and command, or address, of each hook of ours.

    Raises:
        SettingsError: the settings cannot be read.
    """
    _checked(text, path)
    try:
        return [(place.event, place.target) for place in _ours(text)]
    except ValueError as error:
        raise SettingsError(path=path, reason=str(error)) from error


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a hook of ours stands."""

    event: str
    group: int
    hook: int
    target: str


def _checked(text: str, path: str) -> None:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise SettingsError(path=path, reason=f"is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise SettingsError(path=path, reason="is no JSON object")
    if not isinstance(value.get("hooks", {}), dict):
        raise SettingsError(path=path, reason="`hooks` is no object")


def _ours(text: str) -> Iterator[_Place]:
    hooks = json.loads(text).get("hooks") or {}
    for event, groups in hooks.items():
        for number, group in enumerate(groups if isinstance(groups, list) else []):
            inside = group.get("hooks") if isinstance(group, dict) else None
            for place, hook in enumerate(inside if isinstance(inside, list) else []):
                target = _target(hook)
                if SCRIPT in target or HTTP_PATH in target:
                    yield _Place(event, number, place, target)


def _target(hook: object) -> str:
    if not isinstance(hook, dict):
        return ""
    return str(hook.get("command") or hook.get("url") or "")


def _without(text: str, place: _Place) -> str:
    hooks = _value(text, root(text), "hooks")
    groups = _value(text, hooks, place.event)
    group = members_at(text, groups)[place.group].value.start
    inside = _value(text, group, "hooks")
    if len(members_at(text, inside)) > 1:
        return remove(text, inside, place.hook)
    if len(members_at(text, groups)) > 1:
        return remove(text, groups, place.group)
    names = [one.name for one in members_at(text, hooks)]
    if len(names) > 1:
        return remove(text, hooks, names.index(place.event))
    outside = [one.name for one in members_at(text, root(text))]
    return remove(text, root(text), outside.index("hooks"))


def _value(text: str, container: int, name: str) -> int:
    found = member(text, container, name)
    if found is None:
        raise ValueError(f"{name!r} is missing")
    return found.value.start


def _with_object(text: str, container: int, name: str, path: str) -> str:
    del path
    return text if member(text, container, name) else insert_last(text, container, {}, name)


def _with_entry(text: str, event: str, entry: Mapping[str, Any], path: str) -> str:
    hooks = _value(text, root(text), "hooks")
    groups = member(text, hooks, event)
    if groups is None:
        return insert_last(text, hooks, [entry], event)
    if text[groups.value.start] != "[":
        raise SettingsError(path=path, reason=f"`hooks.{event}` is no list")
    return insert_last(text, groups.value.start, entry)
