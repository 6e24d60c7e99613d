import pytest

from nervous_system import events
from nervous_system.draft import Envelope
from nervous_system.errors import InvalidEventError
from nervous_system.identity import AgentIdentity
from nervous_system.schemas import AgentRole, SwarmEvent
from nervous_system.varint import varint

IDENTITY = AgentIdentity(
    agent_id="a", role=AgentRole.ROLE_CODER, name="a", run_id="r", workspace_id="w"
)
EVENT_ID = "01939f2c-0000-7000-8000-000000000001"


def drafted(payload: events.Payload, **fields: object) -> SwarmEvent:
    kind = events.kind_of_payload(payload)
    draft = Envelope(IDENTITY).draft(kind, payload, event_id=EVENT_ID, time_ns=5, **fields)  # type: ignore[arg-type] # the test names them
    return SwarmEvent.FromString(draft.head + draft.tail)


@pytest.mark.parametrize(
    ("number", "encoded"),
    [
        (0, "00"),
        (127, "7f"),
        (128, "8001"),
        (16383, "ff7f"),
        (16384, "808001"),
        (2**63, "80" * 9 + "01"),
    ],
)
def test_numbers_are_written_in_groups_of_seven_bits(number: int, encoded: str) -> None:
    assert varint(number).hex() == encoded


def test_event_names_its_speaker_and_is_in_the_agents_workspace() -> None:
    event = drafted(events.decision(rationale="x"))
    assert (event.agent_id, event.run_id, event.workspace_id) == ("a", "r", "w")


def test_event_with_causes_alone_stays_in_the_agents_workspace() -> None:
    event = drafted(events.decision(), caused_by=(EVENT_ID,))
    assert (list(event.caused_by), event.workspace_id) == ([EVENT_ID], "w")


def test_event_goes_to_the_workspace_that_is_named() -> None:
    assert drafted(events.decision(), workspace_id="other").workspace_id == "other"


def test_half_characters_in_labels_become_escapes() -> None:
    event = drafted(events.decision(), attributes={"a": "\ud800"})
    assert dict(event.attributes) == {"a": "\\ud800"}


def test_labels_that_are_no_texts_are_refused() -> None:
    with pytest.raises(InvalidEventError, match="attributes"):
        drafted(events.decision(), attributes={"a": 1})


@pytest.mark.parametrize(
    ("payload", "attributes", "is_suspect"),
    [
        (events.decision(rationale="password=hunter2"), None, True),
        (events.decision(rationale="x"), {"api_key": "y"}, True),
        (events.decision(rationale="x"), {"a": "y"}, False),
    ],
)
def test_text_and_labels_are_looked_at_for_secrets(
    payload: events.Payload, attributes: dict[str, str] | None, is_suspect: bool
) -> None:
    draft = Envelope(IDENTITY).draft(
        "decision", payload, event_id=EVENT_ID, time_ns=5, attributes=attributes
    )
    assert draft.is_suspect == is_suspect
