from hypothesis import given
from hypothesis import strategies as st

from nervous_system.errors import InvalidEventError
from nervous_system.schemas import AgentRole
from nervous_system.subjects import (
    KINDS,
    escape_token,
    parse_role,
    parse_subject,
    subject_for,
    unescape_token,
)

ids = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
roles = st.sampled_from(sorted(AgentRole.values()))
kinds = st.sampled_from(KINDS)


@given(roles, kinds, ids)
def test_parsing_is_the_inverse_of_formatting(role: AgentRole, kind: str, agent_id: str) -> None:
    parts = parse_subject(subject_for(role, kind, agent_id))
    assert (parse_role(parts.role), parts.kind, parts.agent_id) == (role, kind, agent_id)


@given(ids)
def test_tokens_hold_nothing_that_means_something_to_the_server(agent_id: str) -> None:
    token = escape_token(agent_id)
    assert token
    assert token.isascii()
    assert not set(token) & set(".*> \t\r\n")


@given(ids, ids)
def test_different_ids_have_different_tokens(one: str, other: str) -> None:
    assert (escape_token(one) == escape_token(other)) == (one == other)


@given(st.text(max_size=12))
def test_each_token_is_the_one_of_its_text_or_refused(token: str) -> None:
    try:
        text = unescape_token(token)
    except InvalidEventError:
        return
    assert escape_token(text) == token
