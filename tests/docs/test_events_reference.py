"""The page of events says what the contract says, and its example can be published."""

import json
import subprocess
import sys
from pathlib import Path

from nervous_system import events
from nervous_system.schemas import SwarmEvent

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/reference/events.md").read_text(encoding="utf-8")


def test_the_page_of_events_is_what_the_contract_makes() -> None:
    command = [sys.executable, "proto/reference.py"]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert made == PAGE, "run `make docs`"


def test_every_field_of_every_payload_is_on_the_page() -> None:
    for kind in events.KINDS:
        _, _, section = PAGE.partition(f"## {kind}\n")
        payload = SwarmEvent.DESCRIPTOR.fields_by_name[kind].message_type
        assert payload is not None
        rows = [f"| `{field.name}` | {field.number} |" for field in payload.fields]
        assert [row for row in rows if row not in section.partition("\n## ")[0]] == []


def test_the_example_is_an_event() -> None:
    (line,) = [line for line in PAGE.splitlines() if line.startswith("    {")]
    event = events.from_dict({**json.loads(line), "event_id": events.new_event_id()})
    events.check(event)
    assert events.kind_of(event) == "tool_call"
