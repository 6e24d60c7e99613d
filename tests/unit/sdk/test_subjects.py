import pytest

from nervous_system.errors import InvalidEventError
from nervous_system.schemas import AgentRole
from nervous_system.subjects import (
    SubjectParts,
    escape_token,
    parse_role,
    parse_subject,
    subject_for,
    unescape_token,
)


def test_subject_ends_with_the_agents_token() -> None:
    subject = subject_for(AgentRole.ROLE_CODER, "decision", "coder-1")
    assert subject == "swarm.events.coder.decision.coder-1"


def test_what_has_a_meaning_in_subjects_is_escaped() -> None:
    assert escape_token("a.b *>A") == "a%2Eb%20%2A%3E%41"


def test_text_outside_ascii_is_escaped_byte_by_byte() -> None:
    assert escape_token("é") == "%C3%A9"


def test_empty_agent_id_has_a_token_too() -> None:
    assert escape_token("") == "%"
    assert unescape_token("%") == ""


def test_role_of_a_newer_schema_reads_unspecified() -> None:
    assert subject_for(17, "decision", "x") == "swarm.events.unspecified.decision.x"


@pytest.mark.parametrize("name", ["coder", "CODER", "ROLE_CODER"])
def test_role_is_known_by_token_and_by_enum_name(name: str) -> None:
    assert parse_role(name) == AgentRole.ROLE_CODER


def test_unknown_role_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InvalidEventError, match="architect, coder") as caught:
        parse_role("boss")
    assert caught.value.field == "agent_role"


def test_subject_without_agent_is_parsed() -> None:
    parts = parse_subject("swarm.events.architect.decision")
    assert parts == SubjectParts("architect", "decision", None)
    assert parts.agent_id is None


def test_parsed_subject_gives_the_agent_id_back() -> None:
    parts = parse_subject(subject_for(AgentRole.ROLE_REVIEWER, "tombstone", "Ann B."))
    assert (parts.role, parts.kind, parts.agent_id) == ("reviewer", "tombstone", "Ann B.")


@pytest.mark.parametrize(
    "subject",
    [
        *("", "swarm.events", "swarm.events.coder", "swarm.tasks.coder.decision"),
        *("swarm.events.a.b.c.d", "swarm.events..decision.a", "swarm.events.coder.decision."),
    ],
)
def test_other_subjects_are_refused(subject: str) -> None:
    with pytest.raises(InvalidEventError):
        parse_subject(subject)


@pytest.mark.parametrize("token", ["", "A", "%2", "%zz", "%61", "%FF", "a.b"])
def test_what_no_text_was_escaped_to_is_refused(token: str) -> None:
    with pytest.raises(InvalidEventError):
        unescape_token(token)


def test_agent_id_that_makes_too_long_a_subject_is_refused() -> None:
    with pytest.raises(InvalidEventError, match="at most 1024"):
        subject_for(AgentRole.ROLE_CODER, "decision", "Ä" * 300)


def test_agent_id_that_is_no_unicode_is_refused() -> None:
    with pytest.raises(InvalidEventError, match="not UTF-8"):
        escape_token("\udc80")


def test_kind_that_is_no_token_is_refused() -> None:
    with pytest.raises(InvalidEventError):
        subject_for(AgentRole.ROLE_CODER, "a.b", "x")
