"""What the wheel holds: all that a part of the house keeps beside its code, contract and pages."""

import gzip
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from shutil import copy2, copytree

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = "from setuptools import build_meta; import sys; build_meta.build_wheel(sys.argv[1])"
PARTS = ["nervous_system", "cortex", "infrastructure", "mission_control"]
BESIDE = ["proto", "pyproject.toml", "setup.py", "README.md", "LICENSE"]
STATIC = "mission_control/server/static"
CONTRACT = "enchanted/events/v1/events.proto"


def tracked(*places: str) -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", *places], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    return [name for name in listed.splitlines() if (ROOT / name).is_file()]


def is_shipped(name: str) -> bool:
    """Of mission control, its server: the other sources are what its pages are made from."""
    is_source = name.startswith("mission_control/") and not name.endswith((".py", "py.typed"))
    return not is_source or name.startswith("mission_control/server/")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """A wheel that was built from tracked files, and what was made of them before."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in tracked(*PARTS, *BESIDE):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        copy2(ROOT / name, source / name, follow_symlinks=False)
    if (ROOT / STATIC).exists():  # pages that are fresh are not built again
        copytree(ROOT / STATIC, source / STATIC)
    command = [sys.executable, "-c", BUILD, str(target)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    [built] = target.glob("*.whl")
    return zipfile.ZipFile(built)


def test_wheel_holds_every_file_of_the_parts(wheel: zipfile.ZipFile) -> None:
    wanted = {name for name in tracked(*PARTS) if is_shipped(name)}
    assert sorted(wanted - set(wheel.namelist())) == []


def test_wheel_holds_the_contract(wheel: zipfile.ZipFile) -> None:
    shipped = wheel.read(f"nervous_system/schemas/{CONTRACT}")
    assert shipped == (ROOT / "proto" / CONTRACT).read_bytes()


def test_wheel_holds_the_pages_and_all_that_they_load(wheel: zipfile.ZipFile) -> None:
    page = wheel.read(f"{STATIC}/index.html").decode()
    loaded = re.findall(r'(?:src|href)="/(assets/[^"]+)"', page)
    assert any(name.endswith(".js") for name in loaded)
    assert {f"{STATIC}/{name}" for name in loaded} <= set(wheel.namelist())


def test_scripts_are_shipped_compressed_too(wheel: zipfile.ZipFile) -> None:
    scripts = [name for name in wheel.namelist() if re.fullmatch(f"{STATIC}/assets/.*[.]js", name)]
    largest = max(scripts, key=lambda name: wheel.getinfo(name).file_size)
    assert gzip.decompress(wheel.read(f"{largest}.gz")) == wheel.read(largest)
    assert f"{largest}.br" in wheel.namelist()
