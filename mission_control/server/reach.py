"""From where a request may come: names of this server, origins of its own pages. Pure.

A page of another site can make a browser send requests here. It can do so under a name of its own
that it lets point here, so that the `Host` is looked at; and with the user's cookie, so that
whatever changes or computes something must say that it comes from a page of ours.
"""

from collections.abc import Collection
from urllib.parse import urlsplit

LOCAL_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})


def is_known_host(host: str, origins: Collection[str]) -> bool:
    """Whether `Host` names this machine, or is the host of one of `origins`."""
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:
        return False
    return name in LOCAL_NAMES or host.lower() in {_host_of(origin) for origin in origins}


def is_own_origin(origin: str, host: str, origins: Collection[str]) -> bool:
    """Whether `Origin` is that of pages which this server serves under `Host`."""
    lowered = origin.lower()
    return lowered in {f"http://{host}".lower(), f"https://{host}".lower()} or lowered in origins


def _host_of(origin: str) -> str:
    return urlsplit(origin).netloc.lower()
