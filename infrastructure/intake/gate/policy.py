r"""Reads a policy from YAML; every error names its line. Pure but for `load_policy`.

default: ask                        # allow, deny or ask, where no rule fits
rules:
  - tool: Bash
    arguments: {command: 're:\brm\s+-rf\b'}
    action: deny
    reason: nothing is removed that way here
  - {tool: [Edit, Write], paths: ["src/**"], agents: ["claude-code/*"], action: allow}
"""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml

from infrastructure.intake.errors import IntakeError
from infrastructure.intake.gate.rules import ACTIONS, Action, Pattern, Policy, Rule, compile_pattern

MAX_POLICY_BYTES = 1 << 20
_POLICY_KEYS = ("default", "reason", "rules", "version")
_RULE_KEYS = ("action", "agents", "arguments", "paths", "reason", "tool")


class PolicyError(IntakeError):
    """A policy cannot be used."""

    def __init__(self, *, source: str, line: int, reason: str) -> None:
        self.source = source
        self.line = line
        self.reason = reason
        where = f"{source}:{line}" if line else source
        super().__init__(f"{where}: {reason}")


def load_policy(path: Path) -> tuple[Policy, str]:
    """Return the policy in a file, and the hex SHA-256 of the file.

    Raises:
        PolicyError: it cannot be read, or is none.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_POLICY_BYTES + 1)
    except OSError as error:
        reason = f"cannot be read: {error.strerror}"
        raise PolicyError(source=str(path), line=0, reason=reason) from error
    if len(content) > MAX_POLICY_BYTES:
        raise PolicyError(source=str(path), line=0, reason="is larger than a megabyte")
    return parse_policy(content, str(path)), sha256(content).hexdigest()


def parse_policy(content: bytes | str, source: str = "policy") -> Policy:
    """Return the policy that YAML describes.

    Raises:
        PolicyError: it describes none; the error names the line.
    """
    try:
        root = yaml.compose(content, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise PolicyError(source=source, line=line, reason=str(error.problem)) from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise PolicyError(source=source, line=0, reason=f"is no YAML: {error}") from error
    return _Reading(source).policy(root)


class _Reading:
    """Turns nodes of YAML, which know their lines, into a policy."""

    def __init__(self, source: str) -> None:
        self._source = source

    def policy(self, root: yaml.Node | None) -> Policy:
        if root is None:
            raise PolicyError(source=self._source, line=0, reason="is empty")
        members = self._members(root, _POLICY_KEYS, "a policy")
        if "version" in members and self._text(members["version"]) != "1":
            raise self._error(members["version"], "this version reads policies of version 1")
        if "rules" not in members:
            raise self._error(root, "a policy has `rules`")
        default = members.get("default")
        return Policy(
            rules=tuple(self._rule(node) for node in self._list(members["rules"], "rules")),
            default=self._action(default) if default is not None else "ask",
            reason=self._text(members["reason"]) if "reason" in members else "",
        )

    def _rule(self, node: yaml.Node) -> Rule:
        members = self._members(node, _RULE_KEYS, "a rule")
        if "action" not in members:
            raise self._error(node, f"a rule has an `action`: {', '.join(ACTIONS)}")
        return Rule(
            line=node.start_mark.line + 1,
            action=self._action(members["action"]),
            reason=self._text(members["reason"]) if "reason" in members else "",
            tools=self._patterns(members.get("tool")),
            arguments=self._arguments(members.get("arguments")),
            paths=self._patterns(members.get("paths"), is_path=True),
            agents=self._patterns(members.get("agents")),
        )

    def _arguments(self, node: yaml.Node | None) -> Mapping[str, tuple[Pattern, ...]]:
        if node is None:
            return {}
        if not isinstance(node, yaml.MappingNode):
            return {"*": self._patterns(node)}
        return {name: self._patterns(member) for name, member in self._pairs(node).items()}

    def _patterns(self, node: yaml.Node | None, *, is_path: bool = False) -> tuple[Pattern, ...]:
        if node is None:
            return ()
        listed = node.value if isinstance(node, yaml.SequenceNode) else [node]
        if not listed:
            raise self._error(node, "an empty list fits nothing: leave it out, or name a pattern")
        return tuple(self._pattern(one, is_path=is_path) for one in listed)

    def _pattern(self, node: yaml.Node, *, is_path: bool) -> Pattern:
        text = self._text(node)
        if not text:
            raise self._error(node, "a pattern is not empty; `*` fits everything")
        try:
            return compile_pattern(text, is_path=is_path)
        except ValueError as error:
            raise self._error(node, str(error)) from error

    def _action(self, node: yaml.Node) -> Action:
        text = self._text(node)
        for action in ACTIONS:
            if text == action:
                return action
        raise self._error(node, f"{text!r} is none of {', '.join(ACTIONS)}")

    def _members(self, node: yaml.Node, known: tuple[str, ...], what: str) -> dict[str, yaml.Node]:
        if not isinstance(node, yaml.MappingNode):
            raise self._error(node, f"{what} is a mapping with {', '.join(known)}")
        members = self._pairs(node)
        for key, _ in node.value:
            if key.value not in known:
                raise self._error(key, f"{what} has no {key.value!r}, but {', '.join(known)}")
        return members

    def _pairs(self, node: yaml.MappingNode) -> dict[str, yaml.Node]:
        members: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name = self._text(key)
            if name in members:
                raise self._error(key, f"{name!r} stands there twice")
            members[name] = value
        return members

    def _list(self, node: yaml.Node, what: str) -> list[yaml.Node]:
        if not isinstance(node, yaml.SequenceNode):
            raise self._error(node, f"`{what}` is a list")
        found: list[yaml.Node] = node.value
        return found

    def _text(self, node: yaml.Node) -> str:
        value: Any = node.value
        if not isinstance(node, yaml.ScalarNode) or not isinstance(value, str):
            raise self._error(node, "a text is expected here")
        return value

    def _error(self, node: yaml.Node, reason: str) -> PolicyError:
        return PolicyError(source=self._source, line=node.start_mark.line + 1, reason=reason)
