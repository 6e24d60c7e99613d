"""What a harness is told of a decision, in its own format; pure.

Claude Code knows allow, deny and ask. Codex stops a tool on deny only: it takes any other word for
a failure of the hook and goes on, so that what should be asked is denied there, and what is allowed
is left to its own rules.
"""

import json
from typing import Any

from infrastructure.intake.gate.rules import NO_RULE, Verdict

CLAUDE_CODE = "claude-code"
CODEX = "codex"
BEFORE_TOOL = "PreToolUse"


def answer(harness: str, verdict: Verdict) -> bytes:
    """Return the body of an answer; empty: nothing is to be said.

    An `allow` that is only the policy's default says nothing either: the harness asks its user as
    it would without a gate.
    """
    action, reason = verdict.action, verdict.reason
    if action == "allow" and (harness != CLAUDE_CODE or verdict.rule == NO_RULE):
        return b""
    if action == "ask" and harness != CLAUDE_CODE:
        action, reason = (
            "deny",
            f"{reason}; a person would have to be asked, which cannot be done here",
        )
    said: dict[str, Any] = {
        "hookEventName": BEFORE_TOOL,
        "permissionDecision": action,
        "permissionDecisionReason": reason,
    }
    return json.dumps({"hookSpecificOutput": said}, ensure_ascii=False).encode()
