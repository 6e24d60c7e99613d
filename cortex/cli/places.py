"""Where a command finds the bus and history: the environment first, then the home's stack."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
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
    dsn = session.environment.get(HISTORY_VARIABLE) or _from_stack(session, "clickhouse_url")
    return HistoryConfig(dsn=dsn)


def writer_config(session: Session) -> HistoryConfig:
    """Return history as its owner reaches it.

    Raises:
        StackDownError: no stack runs, and no variable names a history.
    """
    dsn = session.environment.get(HISTORY_VARIABLE) or _from_stack(session, "writer_dsn")
    return HistoryConfig(dsn=dsn)


@contextmanager
def open_reader(session: Session) -> Iterator[HistoryClient]:
    """Open history as readers reach it.

    Raises:
        StackDownError: no stack runs, and no variable names a history.
        HistoryUnavailableError: nothing answers there.
    """
    config = reader_config(session)
    _prepare_driver()
    with open_history(config) as history:
        yield history


@contextmanager
def open_writer(session: Session) -> Iterator[HistoryClient]:
    """Open history as its owner reaches it.

    Raises:
        StackDownError: no stack runs, and no variable names a history.
        HistoryUnavailableError: nothing answers there.
    """
    config = writer_config(session)
    _prepare_driver()
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
