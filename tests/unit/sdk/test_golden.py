"""What was published once is read for ever; the TypeScript side decodes the same files."""

import json
from pathlib import Path

import pytest

from nervous_system import events
from nervous_system.errors import UnknownPayloadError
from tests.golden.write_golden import CASES, EVENT_ID, FOLDER

FILES = sorted(FOLDER.glob("*.binpb"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_golden_bytes_decode_to_what_they_always_did(path: Path) -> None:
    expected = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    event = events.decode(path.read_bytes())
    assert {"kind": events.kind_of(event), "event": events.to_dict(event)} == expected


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_golden_bytes_lose_nothing_when_encoded_again(path: Path) -> None:
    event = events.decode(path.read_bytes())
    assert events.decode(events.encode(event)) == event
    assert sorted(events.encode(event)) == sorted(path.read_bytes())


def test_every_kind_has_golden_bytes() -> None:
    assert set(events.KINDS) <= {path.stem for path in FILES}
    assert set(CASES) == {path.stem for path in FILES}


def test_publisher_of_the_frozen_fields_is_understood() -> None:
    event = events.decode((FOLDER / "frozen_fields_only.binpb").read_bytes())
    events.check(event)
    assert event.decision.rationale == "knows only the frozen fields"
    assert (event.emitter_seq, event.run_id) == (0, "")


def test_publisher_of_a_newer_schema_is_kept_and_named() -> None:
    raw = (FOLDER / "newer_schema.binpb").read_bytes()
    event = events.decode(raw)
    assert (event.agent_role, event.event_id) == (17, EVENT_ID.format(9))
    assert b"unheard of" in events.encode(event)
    with pytest.raises(UnknownPayloadError) as caught:
        events.payload_of(event)
    assert caught.value.field_number == 42
