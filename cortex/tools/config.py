"""Settings of the tools, and the one place where they look at our environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

INHERITED = ("PATH", "LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "TZ", "TERM")
"""Variables that a command gets from ours; none of them holds a secret."""


def inherited_environment(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the variables that commands inherit."""
    return {name: environment[name] for name in INHERITED if name in environment}


@dataclass(frozen=True, slots=True, kw_only=True)
class FileLimits:
    """How large a file may be."""

    read_bytes: int = 128 * 1024 * 1024
    write_bytes: int = 128 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a command may use."""

    seconds: float = 300.0
    memory_bytes: int = 2 * 1024**3
    """Private data of each process, and resident memory of all together. Address space is not
    limited: several runtimes reserve far more of it than they use."""
    output_bytes: int = 1024 * 1024
    """Of standard output, and of standard error; the middle of what is longer is left out."""
    file_bytes: int = 1024**3
    """Of each file that it writes."""
    processes: int = 512
    """At the same time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShellConfig:
    """How commands are run."""

    limits: Limits = field(default_factory=Limits)
    inherited: Mapping[str, str] = field(default_factory=inherited_environment)
    """What commands see of our environment."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables of the run's configuration; they come last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GitConfig:
    """How git is run."""

    seconds: float = 600.0
    """For one command of git's."""
    author_name: str = "Enchanted Swarm"
    author_email: str = "swarm@localhost"
    inherited: Mapping[str, str] = field(default_factory=inherited_environment)
    """What git sees of our environment."""
