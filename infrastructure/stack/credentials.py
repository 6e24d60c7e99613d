"""Random credentials of one home, made once and readable by the owner only."""

import secrets
from collections.abc import Iterable

from infrastructure.stack.permissions import USER_NAMES
from nervous_system.home import Home, write_json

HISTORY_USERS = ("history_writer", "history_reader")
DASHBOARD_TOKEN = "dashboard_token"  # noqa: S105 - its name among the credentials
PASSWORD_BYTES = 24


def ensure_credentials(home: Home, agents: Iterable[str] = ()) -> dict[str, str]:
    """Return a password for every user of bus and history, and the token of the dashboard.

    Missing ones are made and kept.

    Args:
        home: Where they are kept.
        agents: Names of users of agents beside the usual ones.
    """
    found = home.credentials()
    wanted = {*USER_NAMES, *HISTORY_USERS, DASHBOARD_TOKEN, *agents}
    missing = [name for name in wanted if name not in found]
    if missing:
        found |= {name: secrets.token_urlsafe(PASSWORD_BYTES) for name in missing}
        write_json(home.credentials_file, found)
    return found
