import json

import pytest

from nervous_system import events
from nervous_system.errors import InvalidEventError

ID = "01939f2c-7b1e-7c3a-9d52-0a6f3f7be000"


def test_names_are_the_proto_json_names() -> None:
    event = events.build(events.decision(confidence=0.5), event_id=ID, agent_id="a")
    value = json.loads(events.to_json(event))
    assert value["eventId"] == ID
    assert value["decision"] == {"confidenceScore": 0.5}


def test_both_spellings_of_a_name_are_understood() -> None:
    assert events.from_json(f'{{"event_id":"{ID}"}}') == events.from_json(f'{{"eventId":"{ID}"}}')


def test_json_is_one_line() -> None:
    assert "\n" not in events.to_json(events.build(events.decision(rationale="a\nb")))


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("{", "event"),
        ("[]", "event"),
        ("null", "event"),
        ('{"eventIdd": "x"}', "eventIdd"),
        ('{"eventId": 3}', "eventId"),
        ('{"agentRole": "ROLE_BOSS"}', "agentRole"),
        ('{"timestamp": "yesterday"}', "timestamp"),
        ('{"decision": 3}', "decision"),
        ('{"decision": {"confidenceScore": "high"}}', "decision.confidenceScore"),
        ('{"decision": {"rationale": "x", "reason": "y"}}', "decision.reason"),
        ('{"decision": {"memory_ids": "m1"}}', "decision.memory_ids"),
        ('{"attributes": {"a": 1}}', "attributes"),
        ('{"previousDigest": 3}', "previousDigest"),
        ('{"systemSignal": {"cpuLoadPercent": 3000000000}}', "systemSignal.cpuLoadPercent"),
    ],
)
def test_bad_json_names_the_field(text: str, field: str) -> None:
    with pytest.raises(InvalidEventError) as caught:
        events.from_json(text)
    assert caught.value.field == field


def test_two_payloads_are_refused() -> None:
    with pytest.raises(InvalidEventError):
        events.from_json(f'{{"eventId":"{ID}","decision":{{}},"tombstone":{{}}}}')
