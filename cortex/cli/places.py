"""Where a command finds the bus and history: the environment first, then the home's stack."""

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

from clickhouse_connect import common

from cortex.cli.session import Session
from infrastructure.errors import StackDownError
from infrastructure.history.client import HistoryClient, open_history
from infrastructure.history.config import HistoryConfig

BUS_VARIABLE = "SWARM_NATS_URL"
HISTORY_VARIABLE = "SWARM_CLICKHOUSE_DSN"


def bus_url(session: Session) -> str:
    """Return the bus as its operator reaches it.

    Raises:
        StackDownError: no stack runs, and no variable names a bus.
    """
    return session.environment.get(BUS_VARIABLE) or _from_stack(session, "nats_url")


def reader_config(session: Session) -> HistoryConfig:
    """Return history as readers reach it: limited, read-only.

    Raises:
        StackDownError: no stack runs, and no variable names a history.
    """
    return _config(session, "clickhouse_url")


def writer_config(session: Session) -> HistoryConfig:
    """Return history as its owner reaches it.

    Raises:
        StackDownError: no stack runs, and no variable names a history.
    """
    return _config(session, "writer_dsn")


def open_reader(
    session: Session, patience: timedelta | None = None
) -> AbstractContextManager[HistoryClient]:
    """Open history as readers reach it.

    Args:
        session: of the command.
        patience: how long a connection and an answer may take; None: as usual.

    Raises:
        StackDownError: no stack runs, and no variable names a history.
        HistoryUnavailableError: nothing answers there.
    """
    return _opened(reader_config(session), patience)


def open_writer(
    session: Session, patience: timedelta | None = None
) -> AbstractContextManager[HistoryClient]:
    """Open history as its owner reaches it.

    Args:
        session: of the command.
        patience: how long a connection and an answer may take; None: as usual.

    Raises:
        StackDownError: no stack runs, and no variable names a history.
        HistoryUnavailableError: nothing answers there.
    """
    return _opened(writer_config(session), patience)


def _config(session: Session, key: str) -> HistoryConfig:
    return HistoryConfig(dsn=session.environment.get(HISTORY_VARIABLE) or _from_stack(session, key))


@contextmanager
def _opened(config: HistoryConfig, patience: timedelta | None = None) -> Iterator[HistoryClient]:
    _prepare_driver()
    if patience is not None:
        config = replace(config, connect_timeout=patience, request_timeout=patience)
    with open_history(config) as history:
        yield history


def _prepare_driver() -> None:
    """Let the server decide which settings a reader may set, and leave the talking to us.

    For a reader every setting looks read-only to the driver, which would refuse to send those that
    the server lets readers choose, such as how times are written. What goes wrong is said once, by
    the command.
    """
    common.set_setting("invalid_setting_action", "send")
    for name in ("clickhouse_connect", "urllib3"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def _from_stack(session: Session, key: str) -> str:
    home = session.home
    stack: dict[str, Any] = home.stack() or {}
    if not stack.get(key):
        raise StackDownError(home=str(home.root))
    return str(stack[key])
