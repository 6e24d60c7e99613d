"""Where the answers to a client of the bus arrive: below a prefix that belongs to its user.

Who can subscribe another's inbox sees what the server answers it, and learns subjects on which
the server can be made to deliver to it. The shipped permissions give each user a prefix of its own,
that of agents and of `publisher` beside the one that all clients of NATS have by default.
"""

from urllib.parse import unquote, urlsplit

from nervous_system.subjects import escape_token

DEFAULT_PREFIX = "_INBOX"
"""Shared by all clients that are told nothing else."""


def inbox_prefix(url: str) -> str:
    """Return the prefix for a connection to `url`, one server or several separated by commas.

    Without a user and a password inside, that is the default one.
    """
    first = url.split(",")[0].strip()
    parts = urlsplit(first if "://" in first else f"nats://{first}")
    if not parts.username or parts.password is None:
        return DEFAULT_PREFIX
    return user_inbox(unquote(parts.username))


def user_inbox(user: str) -> str:
    """Return the prefix of the inboxes of a user."""
    return f"{DEFAULT_PREFIX}_{escape_token(user)}"
