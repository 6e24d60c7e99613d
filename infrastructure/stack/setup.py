"""Declares the streams and brings history's schema up to date; containers run it once.

The embedded stack does the first in its supervisor and the second where the data is owned.
"""

import asyncio
import os
import sys
from collections.abc import Mapping

from infrastructure.history.client import open_history
from infrastructure.history.config import HistoryConfig
from infrastructure.history.migrate import migrate
from infrastructure.stack.config import DeclareConfig
from infrastructure.stack.declare import declare_all
from nervous_system.errors import SwarmError


def set_up(environment: Mapping[str, str]) -> None:
    """Declare and migrate by the environment; doing it again changes nothing.

    Raises:
        ConfigError: a setting is missing.
        StreamMismatchError: a stream exists and differs in what cannot be changed.
        HistorySchemaError: the schema found is newer than this version.
    """
    declared, history = DeclareConfig.from_env(environment), HistoryConfig.from_env(environment)
    asyncio.run(declare_all(declared))
    with open_history(history) as client:
        migrate(client)


def main() -> int:
    """Set up by this process's environment; return the exit code."""
    try:
        set_up(os.environ)
    except SwarmError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
