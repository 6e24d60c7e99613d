"""The page of tables says what the schema says."""

import subprocess
import sys
from pathlib import Path

from infrastructure.history.reference import field_meanings

ROOT = Path(__file__).resolve().parents[2]
CONTRACT = "proto/enchanted/events/v1/events.proto"


def test_the_page_of_tables_is_what_the_migrations_make() -> None:
    command = [sys.executable, "-m", "infrastructure.history.reference", CONTRACT]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    page = (ROOT / "docs/reference/sql.md").read_text(encoding="utf-8")
    assert page == made, "run `make docs`"


def test_a_fields_comment_is_its_meaning() -> None:
    text = "  // First line\n  // and second.\n  map<string, string> labels = 3;\n"
    assert field_meanings(text) == {"labels": "First line and second."}
