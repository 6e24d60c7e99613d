"""What the wheel holds: whatever a part of the house keeps beside its code, and the contract."""

import subprocess
import sys
import zipfile
from pathlib import Path
from shutil import copy2

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = "from setuptools import build_meta; import sys; build_meta.build_wheel(sys.argv[1])"
PARTS = ["nervous_system", "cortex", "infrastructure", "mission_control"]
ABOUT = ["pyproject.toml", "README.md", "LICENSE"]


def tracked(*places: str) -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", *places], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    return [name for name in listed.splitlines() if (ROOT / name).is_file()]


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Names in a wheel that was built from tracked files only."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in tracked(*PARTS, *ABOUT):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        copy2(ROOT / name, source / name)
    built = [sys.executable, "-c", BUILD, str(target)]
    subprocess.run(built, cwd=source, check=True, capture_output=True)
    [wheel] = target.glob("*.whl")
    return set(zipfile.ZipFile(wheel).namelist())


def test_wheel_holds_every_file_of_the_parts(names: set[str]) -> None:
    assert sorted(set(tracked(*PARTS)) - names) == []


def test_wheel_holds_the_contract(names: set[str]) -> None:
    assert "nervous_system/schemas/enchanted/events/v1/events.proto" in names
