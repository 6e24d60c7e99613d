"""Findings and rewrites for tests of the offline model's rules."""

import subprocess

from cortex.models.offline_rules.rewriting import Rewritten, rewrite_rule
from cortex.models.offline_rules.surroundings import Surroundings
from cortex.models.port import Finding
from cortex.models.ruff import ruff_command, rule_arguments
from cortex.tools.findings import parse_findings


def finding_at(text: str, rule: str, snippet: str, path: str = "app.py") -> Finding:
    """A finding where the snippet first stands."""
    offset = text.index(snippet)
    row = text.count("\n", 0, offset) + 1
    column = offset - (text.rfind("\n", 0, offset) + 1) + 1
    return Finding(path=path, rule=rule, row=row, column=column)


def rewritten(
    rule: str, text: str, *snippets: str, around: Surroundings | None = None
) -> Rewritten:
    """What becomes of a text with findings at these snippets."""
    findings = [finding_at(text, rule, one) for one in snippets]
    return rewrite_rule(text, rule, findings, around or Surroundings(path="app.py"))


def ruff_findings(text: str, *rules: str) -> tuple[Finding, ...]:
    """What ruff itself finds of these rules."""
    output = subprocess.run(
        [
            *(*ruff_command(), "check", "--isolated", "--no-cache", "--exit-zero"),
            *("--output-format", "json", *rule_arguments(rules)),
            *("--stdin-filename", "/app.py", "-"),
        ],
        input=text.encode(),
        capture_output=True,
        check=True,
    ).stdout
    return tuple(parse_findings(output, "/"))
