"""The shape of the repository: its folders, its import arrows, what it may say."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HOUSE = {
    "nervous_system",
    "cortex",
    "infrastructure",
    "mission_control",
    "proto",
    "tests",
    "docs",
    "benchmarks",
    "examples",
}
HIDDEN = {".ci"}
BINARY = {".binpb", ".pb", ".db", ".png"}


def tracked_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    return [path for line in listed.splitlines() if (path := ROOT / line).is_file()]


def test_the_top_level_holds_the_parts_and_nothing_else() -> None:
    folders = {
        path.relative_to(ROOT).parts[0]
        for path in tracked_files()
        if len(path.relative_to(ROOT).parts) > 1
    }
    assert folders <= HOUSE | HIDDEN


def test_the_import_arrows_hold() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports"))]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("folder", ["nervous_system", "cortex", "infrastructure"])
def test_no_module_is_a_drawer(folder: str) -> None:
    drawers = {"utils", "util", "helpers", "common", "misc"}
    assert not [path for path in (ROOT / folder).rglob("*.py") if path.stem in drawers]


def test_requirements_name_versions_and_no_addresses() -> None:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pinned = re.compile(r"^[A-Za-z0-9_.-]+==[A-Za-z0-9_.!+-]+$")
    assert [line for line in lines if not line.startswith("#") and not pinned.match(line)] == []


def test_no_file_names_this_machine_or_a_registry_host() -> None:
    registry_hosts = ["pypi" + ".org", "npmjs" + ".org", "pythonhosted" + ".org"]
    forbidden = re.compile(
        "|".join(re.escape(word) for word in [*registry_hosts, str(ROOT.parent) + "/"])
    )
    found = [
        str(path.relative_to(ROOT))
        for path in tracked_files()
        if path.suffix not in BINARY
        and "data" not in path.parts
        and forbidden.search(path.read_text(encoding="utf-8", errors="replace"))
    ]
    assert found == []


def test_generated_code_is_what_the_contract_generates(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "proto/generate.py", str(tmp_path)], cwd=ROOT, check=True)
    committed = ROOT / "nervous_system" / "schemas" / "enchanted"
    for made in sorted((tmp_path / "enchanted").rglob("*.p*")):
        if "__pycache__" not in made.parts:
            kept = committed / made.relative_to(tmp_path / "enchanted")
            assert kept.read_bytes() == made.read_bytes(), f"run `make proto`: {kept.name} is stale"
