"""What `swarm hooks install` has noted in the home: where, and which gate, if any."""

from dataclasses import asdict, dataclass
from pathlib import Path

from infrastructure.intake.hooks.pending import FOLDER
from nervous_system.home import Home, read_json, write_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """Hooks of one file of settings."""

    harness: str
    settings: str
    """The file."""
    policy: str = ""
    """Absolute path of the gate's policy; empty: no gate."""
    backup: str = ""
    """Copy of the file as it was before; empty: there was none."""
    written: str = ""
    """Hex SHA-256 of the file as it was written."""


def read_installed(home: Home) -> list[Installed]:
    """Return what is installed from this home."""
    found = read_json(_file(home)) or {}
    return [Installed(**one) for one in found.get("hooks", [])]


def note_installed(home: Home, one: Installed) -> None:
    """Note hooks of a file, in the place of what was noted of that file."""
    _write(home, [*_others(home, one.settings), one])


def forget_installed(home: Home, settings: str) -> None:
    """Forget the hooks of a file."""
    _write(home, _others(home, settings))


def is_installed_policy(home: Home, harness: str, policy: str) -> bool:
    """Whether hooks of a harness were installed with this policy."""
    return bool(policy) and any(
        one.harness == harness and one.policy == policy for one in read_installed(home)
    )


def _others(home: Home, settings: str) -> list[Installed]:
    return [one for one in read_installed(home) if one.settings != settings]


def _write(home: Home, installed: list[Installed]) -> None:
    _file(home).parent.mkdir(mode=0o700, exist_ok=True)
    write_json(_file(home), {"hooks": [asdict(one) for one in installed]})


def _file(home: Home) -> Path:
    return home.root / FOLDER / "installed.json"
