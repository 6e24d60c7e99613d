"""The home: the directory that holds everything one stack and its agents keep on disk.

Only names and small JSON files live here; who starts servers is `infrastructure.stack`. A command's
`--home DIR` names the home itself; without it `SWARM_HOME`, then the nearest parent's `.swarm/`,
then `.swarm/` here.

    swarm.json        settings that outlive a stack: ports, stream size; written by `swarm up`
    credentials.json  user name -> password, one per duty; owner only, written once
    stack.json        the running stack: pids, URLs; written when ready, removed at the end
    project.json      what `swarm init` has said: project, agent
    coordination/     tokens of claims, and what was read last: a file per project and agent
    redaction.key     random key under which digests of redacted originals are made
    redaction.json    patterns of secrets that only the user knows; written by the user
    logs/ nats/ history/ spool/
"""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_bytes, token_hex
from typing import Any

HOME_NAME = ".swarm"
REDACTION_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Home:
    """Paths of one home; making one touches nothing."""

    root: Path

    @property
    def settings_file(self) -> Path:
        """Settings that outlive a stack."""
        return self.root / "swarm.json"

    @property
    def credentials_file(self) -> Path:
        """User name to password, owner only."""
        return self.root / "credentials.json"

    @property
    def stack_file(self) -> Path:
        """Pids and URLs of the running stack."""
        return self.root / "stack.json"

    @property
    def redaction_key_file(self) -> Path:
        """Random key for digests of redacted originals."""
        return self.root / "redaction.key"

    @property
    def own_patterns_file(self) -> Path:
        """Patterns of the user's own secrets."""
        return self.root / "redaction.json"

    @property
    def logs(self) -> Path:
        """One log file per process of the stack."""
        return self.root / "logs"

    @property
    def nats(self) -> Path:
        """Configuration and store of nats-server."""
        return self.root / "nats"

    @property
    def history(self) -> Path:
        """Data of the embedded ClickHouse."""
        return self.root / "history"

    @property
    def spool(self) -> Path:
        """Events waiting for the bus, one directory per writing process."""
        return self.root / "spool"

    def ensure(self) -> None:
        """Create the directory with its `.gitignore`, readable by the owner only."""
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        ignore = self.root / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n", encoding="utf-8")

    def stack(self) -> dict[str, Any] | None:
        """Return the record of the running stack, or None where there is none."""
        return read_json(self.stack_file)

    def credentials(self) -> dict[str, str]:
        """Return user name to password; empty where no stack was ever started."""
        return read_json(self.credentials_file) or {}

    def redaction_key(self) -> bytes:
        """Return the home's key, made at the first call."""
        self.ensure()
        with suppress(FileNotFoundError):
            return self.redaction_key_file.read_bytes()
        # written elsewhere and linked into place: whoever finds the file finds all of it
        temporary = self.redaction_key_file.with_name(f".redaction.{os.getpid()}.{token_hex(4)}")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(token_bytes(REDACTION_KEY_BYTES))
        with suppress(FileExistsError):
            os.link(temporary, self.redaction_key_file)
        temporary.unlink()
        return self.redaction_key_file.read_bytes()


def find_home(environment: Mapping[str, str], start: Path, given: Path | None = None) -> Home:
    """Return the home that `--home`, `SWARM_HOME` or the nearest parent of `start` names."""
    if given is not None:
        return Home(given.resolve())
    named = environment.get("SWARM_HOME")
    if named:
        return Home(Path(named).resolve())
    for folder in (start, *start.parents):
        candidate = folder / HOME_NAME
        if candidate.is_dir():
            return Home(candidate)
    return Home(start / HOME_NAME)


def read_json(path: Path) -> dict[str, Any] | None:
    """Return the object in `path`, or None where there is no such file."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    value: dict[str, Any] = json.loads(text)
    return value


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Replace `path` atomically with `value`, readable by the owner only."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(value, file, indent=2)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
