"""Settings of memory; the only module here that reads the environment."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from nervous_system.config import without_password
from nervous_system.errors import ConfigError

OPENAI = "openai"
LOCAL = "local"
_MODEL = "SWARM_EMBEDDING_MODEL"
_KEY = "OPENAI_API_KEY"
_URL = "OPENAI_BASE_URL"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class MemoryConfig:
    """Which model makes vectors of texts; by default none, and search is by words."""

    model: str = ""
    """`openai:NAME` or `local:NAME` (SWARM_EMBEDDING_MODEL); empty: none."""
    api_key: str = ""
    """From OPENAI_API_KEY; never shown."""
    base_url: str = ""
    """From OPENAI_BASE_URL; empty: OpenAI's own."""
    timeout: timedelta = timedelta(seconds=60)
    """For one request that brings vectors up to date; a question has the deadline of its search."""

    @property
    def provider(self) -> str:
        """`openai`, `local`, or empty."""
        return self.model.partition(":")[0]

    @property
    def model_name(self) -> str:
        """The provider's name of the model."""
        return self.model.partition(":")[2]

    def __post_init__(self) -> None:
        if not self.model:
            return
        if self.provider not in (OPENAI, LOCAL) or not self.model_name.strip():
            raise ConfigError(
                variable=_MODEL,
                given=self.model[:100],
                expected="`openai:MODEL` or `local:MODEL`",
                fix="leave it unset to search by words",
            )
        if self.provider == LOCAL:
            return
        if self.base_url and not re.match(r"https?://[^/\s]", self.base_url):
            raise ConfigError(
                variable=_URL,
                given=without_password(self.base_url),
                expected="http://HOST or https://HOST",
                fix="write it with its scheme",
            )
        if not (self.api_key.isascii() and self.api_key.isprintable()):
            raise ConfigError(
                variable=_KEY,
                given="(not shown)",
                expected="a key, which is one line of plain characters",
                fix="copy it again",
            )
        if not self.api_key and not self.base_url:
            raise ConfigError(
                variable=_KEY,
                given="",
                expected=f"the key for {self.model}",
                fix=f"set it, or leave {_MODEL} unset to search by words",
            )

    def __repr__(self) -> str:
        return f"MemoryConfig(model={self.model!r})"

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> Self:
        """Read the environment; a key alone chooses no model.

        Raises:
            ConfigError: a setting cannot be used.
        """
        return cls(
            model=environment.get(_MODEL, "").strip(),
            api_key=environment.get(_KEY, "").strip(),
            base_url=environment.get(_URL, "").strip(),
        )
