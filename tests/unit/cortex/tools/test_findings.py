import json

import pytest

from cortex.errors import ToolFailedError
from cortex.tools.findings import parse_findings


def item(**changes: object) -> dict[str, object]:
    found = {
        "code": "F401",
        "name": "unused-import",
        "filename": "/root/src/a.py",
        "message": "`os` imported but unused",
        "location": {"row": 3, "column": 8},
        "fix": {"applicability": "safe", "edits": []},
    }
    return {**found, **changes}


def test_finding_names_file_rule_and_place() -> None:
    (found,) = parse_findings(json.dumps([item()]).encode(), "/root")
    assert (found.path, found.rule, found.name) == ("src/a.py", "F401", "unused-import")
    assert (found.row, found.column, found.has_safe_fix) == (3, 8, True)


def test_file_that_does_not_parse_is_a_finding() -> None:
    (found,) = parse_findings(json.dumps([item(code=None, fix=None)]).encode(), "/root")
    assert (found.rule, found.has_safe_fix) == ("invalid-syntax", False)


def test_unsafe_fix_is_none() -> None:
    unsafe = item(fix={"applicability": "unsafe"})
    (found,) = parse_findings(json.dumps([unsafe]).encode(), "/root")
    assert not found.has_safe_fix


def test_findings_come_by_file_and_line() -> None:
    items = [item(filename="/root/b.py"), item(location={"row": 9, "column": 1}), item()]
    found = parse_findings(json.dumps(items).encode(), "/root")
    assert [(one.path, one.row) for one in found] == [("b.py", 3), ("src/a.py", 3), ("src/a.py", 9)]


@pytest.mark.parametrize("report", [b"", b"{}x", b'[{"code": 1}]', b"[1]", b"\xff"])
def test_report_that_is_none_is_told(report: bytes) -> None:
    with pytest.raises(ToolFailedError, match="its report cannot be read"):
        parse_findings(report, "/root")
