"""What takes the place of a message that was no event."""

import uuid

import pytest

from cortex.cli.errors import CommandFailedError
from cortex.cli.redrive import ORIGIN_ATTRIBUTE, accepted_event, redriven_id, repaired_event
from nervous_system.schemas import SwarmEvent
from tests.support.builders import build_event


def test_an_id_is_made_from_the_place_so_that_a_repeat_is_a_repeat() -> None:
    assert redriven_id("S", 1) == redriven_id("S", 1)
    assert len({redriven_id("S", 1), redriven_id("S", 2), redriven_id("T", 1)}) == 3
    assert uuid.UUID(redriven_id("S", 1)).version == 5


def test_an_event_whose_id_is_none_gets_one_and_keeps_the_rest() -> None:
    event = build_event()
    event.event_id = "not a uuid"
    repaired = repaired_event(event.SerializeToString(), stream="S", sequence=7)
    assert repaired.event_id == redriven_id("S", 7)
    assert repaired.attributes[ORIGIN_ATTRIBUTE] == "S#7"
    assert repaired.decision == event.decision


@pytest.mark.parametrize("raw", [b"\xff\xff", b"", SwarmEvent(event_id="x").SerializeToString()])
def test_what_cannot_be_put_right_asks_for_the_corrected_event(raw: bytes) -> None:
    with pytest.raises(CommandFailedError, match="give the corrected event with --event FILE"):
        repaired_event(raw, stream="S", sequence=7)


def test_a_corrected_event_is_checked_too() -> None:
    event = build_event(trace_id="zz")
    with pytest.raises(CommandFailedError, match="trace_id"):
        accepted_event(event, stream="S", sequence=7)
