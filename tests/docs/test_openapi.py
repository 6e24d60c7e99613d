"""The document of the API says what the code serves."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_document_of_the_api_is_what_the_code_makes() -> None:
    command = [sys.executable, "-m", "mission_control.server.openapi"]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    written = (ROOT / "docs/reference/openapi.json").read_text(encoding="utf-8")
    assert written == made, "run `make docs`"
