"""What one run of `swarm` knows before its command starts: environment, home, how to speak.

Commands take `ctx: typer.Context` and ask `Session.of(ctx)`; nothing else in the command line reads
the process's environment.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nervous_system.errors import ConfigError
from nervous_system.home import Home, find_home

if TYPE_CHECKING:
    import typer


class LogFormat(enum.StrEnum):
    """How log records look on stderr."""

    TEXT = "text"
    JSON = "json"


@dataclass(slots=True)
class Session:
    """One run of the command; the common options are filled in while arguments are parsed."""

    environment: Mapping[str, str]
    directory: Path
    """Where the command was called."""
    given_home: Path | None = None
    """`--home`."""
    traceback: bool = False
    """`--traceback`: show where an error came from."""
    log_format: LogFormat = LogFormat.TEXT

    @property
    def home(self) -> Home:
        """The home that `--home`, `SWARM_HOME` or the nearest `.swarm/` names; may not exist.

        Raises:
            ConfigError: there is something else in its place.
        """
        home = find_home(self.environment, self.directory, self.given_home)
        if home.root.exists() and not home.root.is_dir():
            raise ConfigError(
                variable="the home" if self.given_home is None else "--home",
                given=str(home.root),
                expected="a directory",
                fix="name the home itself, as in `--home .swarm`",
            )
        return home

    @classmethod
    def of(cls, ctx: "typer.Context") -> "Session":
        """Return the session that `ctx` belongs to."""
        session = ctx.find_root().obj
        if not isinstance(session, cls):
            raise TypeError("the command was not started through cortex.cli.main.run")
        return session
