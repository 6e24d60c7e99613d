import pytest

from mission_control.server.auth import (
    cookie_name,
    has_bearer,
    has_session,
    is_token,
    session_cookie,
    session_value,
)

TOKEN = "a-token-of-a-home"
NAME = cookie_name(8321)


def test_cookie_cannot_be_turned_back_into_a_token_and_is_not_one() -> None:
    value = session_value(TOKEN)
    assert TOKEN not in value
    assert not is_token(value, TOKEN)
    assert value != session_value(TOKEN + "x")


def test_cookie_of_a_login_is_known_again_among_others() -> None:
    cookie = session_cookie(NAME, TOKEN, is_secure=False).partition(";")[0]
    assert has_session({"cookie": f"other=1; {cookie}; more=2"}, NAME, TOKEN)
    assert not has_session({"cookie": cookie}, NAME, "another token")
    assert not has_session({"cookie": cookie}, cookie_name(9000), TOKEN)


@pytest.mark.parametrize(
    "cookie", ["", ";", "=", f"{NAME}", f"{NAME}=", f"{NAME}={TOKEN}", "é\x00"]
)
def test_other_cookies_are_none(cookie: str) -> None:
    assert not has_session({"cookie": cookie}, NAME, TOKEN)


@pytest.mark.parametrize(
    ("header", "is_known"),
    [
        (f"Bearer {TOKEN}", True),
        (f"bearer  {TOKEN} ", True),
        (f"Basic {TOKEN}", False),
        (TOKEN, False),
        ("Bearer", False),
        ("Bearer é", False),
        ("", False),
    ],
)
def test_bearer_is_the_token_itself(header: str, is_known: bool) -> None:
    assert has_bearer({"authorization": header}, TOKEN) is is_known


def test_cookie_goes_over_tls_only_where_there_is_tls() -> None:
    assert "Secure" in session_cookie(NAME, TOKEN, is_secure=True)
    assert "Secure" not in session_cookie(NAME, TOKEN, is_secure=False)
