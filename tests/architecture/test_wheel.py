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
BESIDE = ["proto", "pyproject.toml", "README.md", "LICENSE"]
CONTRACT = "enchanted/events/v1/events.proto"


def tracked(*places: str) -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", *places], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    return [name for name in listed.splitlines() if (ROOT / name).is_file()]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """A wheel that was built from tracked files only."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in tracked(*PARTS, *BESIDE):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        copy2(ROOT / name, source / name, follow_symlinks=False)
    command = [sys.executable, "-c", BUILD, str(target)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    [built] = target.glob("*.whl")
    return zipfile.ZipFile(built)


def test_wheel_holds_every_file_of_the_parts(wheel: zipfile.ZipFile) -> None:
    assert sorted(set(tracked(*PARTS)) - set(wheel.namelist())) == []


def test_wheel_holds_the_contract(wheel: zipfile.ZipFile) -> None:
    shipped = wheel.read(f"nervous_system/schemas/{CONTRACT}")
    assert shipped == (ROOT / "proto" / CONTRACT).read_bytes()
