"""What the linter says, read from its JSON. Pure."""

import json
import os
from typing import Any

from cortex.errors import ToolFailedError
from cortex.models.port import Finding

INVALID_SYNTAX = "invalid-syntax"


def parse_findings(report: bytes, root: str) -> list[Finding]:
    """Return ruff's diagnostics in the order of files and lines.

    Args:
        report: its output with `--output-format json`.
        root: absolute path of the directory that names are relative to.

    Raises:
        ToolFailedError: the report is not one.
    """
    try:
        found = [_finding(item, root) for item in json.loads(report)]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ToolFailedError(
            tool="linter", reason=f"its report cannot be read: {type(error).__name__}: {error}"
        ) from error
    return sorted(found, key=lambda one: (one.path, one.row, one.column, one.rule))


def _finding(item: dict[str, Any], root: str) -> Finding:
    location = item["location"]
    end = item.get("end_location") or {"row": 0, "column": 0}
    fix = item.get("fix") or {}
    return Finding(
        path=os.path.relpath(item["filename"], root),
        rule=item["code"] or INVALID_SYNTAX,
        name=item.get("name") or "",
        message=item["message"],
        row=int(location["row"]),
        column=int(location["column"]),
        end_row=int(end["row"]),
        end_column=int(end["column"]),
        has_safe_fix=fix.get("applicability") == "safe",
    )
