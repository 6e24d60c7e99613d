"""Who may look: the home's token, given as a bearer or exchanged for a cookie. Pure.

The cookie's value is made from the token and is not the token: what a browser keeps cannot be used
to make a login link. Whoever changes the token ends all sessions.
"""

import hmac
from collections.abc import Mapping
from hashlib import sha256
from http.cookies import CookieError, SimpleCookie

_PURPOSE = b"enchanted swarm dashboard session, version 1"
SESSION_SECONDS = 90 * 24 * 3600


def session_value(token: str) -> str:
    """Return the value of the cookie that stands for a token."""
    return hmac.new(token.encode(), _PURPOSE, sha256).hexdigest()


def cookie_name(port: int) -> str:
    """Return the cookie's name: browsers share cookies between the ports of a host."""
    return f"swarm_session_{port}"


def is_token(given: str, token: str) -> bool:
    """Whether the given text is the token; takes as long whatever is given."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), token.encode())


def has_bearer(headers: Mapping[str, str], token: str) -> bool:
    """Whether a request carries the token itself."""
    scheme, _, given = headers.get("authorization", "").partition(" ")
    return scheme.lower() == "bearer" and is_token(given.strip(), token)


def has_session(headers: Mapping[str, str], name: str, token: str) -> bool:
    """Whether a request carries the cookie of a login."""
    try:
        cookie = SimpleCookie(headers.get("cookie", "")).get(name)
    except CookieError:
        return False
    return cookie is not None and is_token(cookie.value, session_value(token))


def session_cookie(name: str, token: str, *, is_secure: bool) -> str:
    """Return the `Set-Cookie` of a login."""
    secure = "; Secure" if is_secure else ""
    return (
        f"{name}={session_value(token)}; Path=/; Max-Age={SESSION_SECONDS}; "
        f"HttpOnly; SameSite=Strict{secure}"
    )
