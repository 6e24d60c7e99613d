"""`swarm gate`: policies are checked and tried before an agent meets them."""

import json as json_module
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from cortex.cli import options, output
from cortex.cli.errors import CommandFailedError
from infrastructure.intake.gate.answers import BEFORE_TOOL, CLAUDE_CODE, answer
from infrastructure.intake.gate.files import named_files
from infrastructure.intake.gate.policy import load_policy
from infrastructure.intake.gate.rules import decide
from infrastructure.intake.hooks.desk import use_of
from infrastructure.intake.hooks.payloads import Hook, read_payload

gate = typer.Typer(no_args_is_help=True, add_completion=False)

PolicyArgument = Annotated[Path, typer.Argument(metavar="POLICY", help="A policy in YAML.")]


@gate.command("check", short_help="Check that a policy can be used.")
def check(policy: PolicyArgument, json: options.Json = False) -> None:
    """Check a policy; what is wrong is named with its line."""
    found, digest = load_policy(policy)
    if json:
        output.print_json({"rules": len(found.rules), "default": found.default, "digest": digest})
        return
    print(f"{len(found.rules)} rules, default {found.default}")


@gate.command("test", short_help="Say what a policy would decide.")
def try_policy(
    policy: PolicyArgument,
    tool: Annotated[
        str, typer.Option(help="Name of the tool; without it a hook's payload is read from stdin.")
    ] = "",
    input_: Annotated[
        str, typer.Option("--input", metavar="JSON", help="Arguments of the tool.")
    ] = "{}",
    agent: Annotated[str, typer.Option(help="Type of the sub-agent that would use it.")] = "",
    cwd: Annotated[Path | None, typer.Option(help="Where the agent works; default: here.")] = None,
    harness: Annotated[str, typer.Option(help="Whose answer is shown.")] = CLAUDE_CODE,
    json: options.Json = False,
) -> None:
    """Say what a policy would decide, by which rule, and what the harness would be told.

    Exits 0 whatever the decision is.
    """
    found, _ = load_policy(policy)
    value = _value(tool, input_, agent, cwd) if tool else _payload()
    hook = Hook(harness=harness, delivery="", at_ns=0, line=b"", value=value, asked=value)
    use = use_of(hook)
    verdict = decide(found, use)
    if json:
        said = answer(harness, verdict)
        shown = {
            "action": verdict.action,
            "reason": verdict.reason,
            "rule": verdict.rule or None,
            "line": verdict.line or None,
            "files": named_files(value.get("tool_input")),
            "answer": json_module.loads(said) if said else None,
        }
        output.print_json(shown)
        return
    where = f"rule {verdict.rule}, line {verdict.line}" if verdict.rule else "no rule fits"
    print(f"{verdict.action}: {verdict.reason} ({where})")


def _value(tool: str, text: str, agent: str, cwd: Path | None) -> dict[str, Any]:
    try:
        arguments = json_module.loads(text)
    except ValueError as error:
        raise CommandFailedError(f"--input is no JSON: {error}") from error
    return {
        "hook_event_name": BEFORE_TOOL,
        "session_id": "test",
        "tool_name": tool,
        "tool_input": arguments,
        "cwd": str((cwd or Path.cwd()).resolve()),
        **({"agent_type": agent, "agent_id": agent} if agent else {}),
    }


def _payload() -> dict[str, Any]:
    value = dict(read_payload(sys.stdin.buffer.read()))
    if not value.get("tool_name"):
        raise CommandFailedError("stdin holds no payload of a hook with a tool_name: pass --tool")
    return value
