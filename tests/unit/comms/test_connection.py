"""URLs as they may be shown."""

import pytest

from nervous_system.comms.connection import redact_url


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("nats://user:secret@host:5222", "nats://host:5222"),
        ("nats://host", "nats://host:4222"),
        ("host:1", "nats://host:1"),
        ("tls://a:b@one:1,tls://c:d@two:2", "tls://one:1,tls://two:2"),
    ],
)
def test_shown_url_has_no_password(url: str, shown: str) -> None:
    assert redact_url(url) == shown
