"""Reply subjects of deliveries."""

from datetime import UTC, datetime

import pytest

from nervous_system.comms.reader import Origin, parse_origin

EXPECTED = Origin("S", 2, 30, 4, datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC), 5)
NANOSECONDS = 1767323045678901999


@pytest.mark.parametrize(
    "reply",
    [
        f"$JS.ACK.S.C.2.30.4.{NANOSECONDS}.5",
        f"$JS.ACK.hub.account.S.C.2.30.4.{NANOSECONDS}.5.random",
        f"$JS.ACK._.account.S.C.2.30.4.{NANOSECONDS}.5",
    ],
)
def test_both_forms_are_read_and_times_are_rounded_down(reply: str) -> None:
    assert parse_origin(reply) == EXPECTED
