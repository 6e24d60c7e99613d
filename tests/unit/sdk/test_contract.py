"""The wire contract: lint, compatibility with the committed image, generated code fresh."""

import filecmp
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
BUF = Path(sys.executable).with_name("buf")
SCHEMAS = ROOT / "nervous_system" / "schemas"

pytestmark = pytest.mark.skipif(not BUF.exists(), reason="buf is not installed: `make setup`")


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, check=False)


def test_contract_passes_buf_lint() -> None:
    done = run(BUF, "lint", "proto")
    assert done.returncode == 0, done.stdout + done.stderr


def test_contract_breaks_nothing_of_the_committed_image() -> None:
    done = run(BUF, "breaking", "proto", "--against", "proto/baseline.binpb")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("field", ["string rationale = 3;", "uint64 task_fence = 6;"])
def test_changed_field_number_is_seen_as_breaking(tmp_path: Path, field: str) -> None:
    source = ROOT / "proto" / "enchanted" / "events" / "v1" / "events.proto"
    changed = tmp_path / "enchanted" / "events" / "v1" / "events.proto"
    changed.parent.mkdir(parents=True)
    text = source.read_text(encoding="utf-8")
    changed.write_text(text.replace(field, f"{field[:-2]}49;"))
    (tmp_path / "buf.yaml").write_text((ROOT / "proto" / "buf.yaml").read_text(encoding="utf-8"))
    done = run(BUF, "breaking", tmp_path, "--against", "proto/baseline.binpb")
    assert done.returncode != 0
    assert field.split()[1] in done.stdout


def test_generated_code_is_fresh(tmp_path: Path) -> None:
    done = run(sys.executable, "proto/generate.py", tmp_path)
    assert done.returncode == 0, done.stderr
    made = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*.py*") if path.is_file())
    assert made
    for path in made:
        assert filecmp.cmp(tmp_path / path, SCHEMAS / path, shallow=False), f"{path}: `make proto`"
