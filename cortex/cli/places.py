"""Where a command finds the bus and history: the environment first, then the home's stack."""

from typing import Any

from cortex.cli.session import Session
from infrastructure.errors import StackDownError
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


def _from_stack(session: Session, key: str) -> str:
    home = session.home
    stack: dict[str, Any] = home.stack() or {}
    if not stack.get(key):
        raise StackDownError(home=str(home.root))
    return str(stack[key])
