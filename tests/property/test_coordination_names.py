"""Names of what agents share: what is accepted has a subject of its own, and can be read back."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cortex.coordination import places
from cortex.coordination.errors import NameRefusedError
from cortex.coordination.names import agent_name, key_name, project_name, step_name
from nervous_system.comms.frames import encode_subject

HOSTILE = st.one_of(
    st.text(max_size=30),
    st.text(string.ascii_letters + "./_-*> \n\t\0é漢🐝\ud800%", max_size=30),
    st.sampled_from(["*", ">", "..", "a.b", "$JS.API.>", "a b", "a\r\nPUB x 1", "x" * 5_000]),
)


@given(HOSTILE)
def test_a_step_that_is_accepted_keeps_its_name(text: str) -> None:
    try:
        name = step_name(text)
    except NameRefusedError:
        return
    assert step_name(name) == name
    assert "." not in name
    assert "/" not in name
    assert not name.startswith("_")


@given(HOSTILE, HOSTILE, HOSTILE)
def test_names_come_back_out_of_their_subject(project: str, step: str, agent: str) -> None:
    """And cannot reach another subject, whatever is in them."""
    try:
        names = project_name(project), step_name(step), agent_name(agent)
    except NameRefusedError:
        return
    pattern = places.thing(places.STEP, names[0], names[1])
    subject = places.written_by(pattern, names[2])
    assert encode_subject(subject).decode().count(".") == 5
    assert places.parse(subject, places.STEP) == names[1:]
    assert subject.startswith(pattern[:-1])


@given(st.lists(HOSTILE, min_size=2, max_size=2, unique=True))
def test_two_keys_have_two_subjects(keys: list[str]) -> None:
    try:
        one, other = (places.thing(places.MEMORY, "p", key_name(key)) for key in keys)
    except NameRefusedError:
        return
    assert one != other


@pytest.mark.parametrize(
    ("given_name", "kept"), [("Build.One", "build-one"), ("a b", "a b"), ("ÄÖ.İ", "äö-i̇")]
)
def test_a_step_is_lower_case_with_dashes_for_dots(given_name: str, kept: str) -> None:
    assert step_name(given_name) == kept


@pytest.mark.parametrize(
    "text", ["", "a/b", "_x", "a\nb", " a", "a ", "\x1b[31m", "x" * 401, "\ud800"]
)
def test_a_step_that_nobody_could_type_is_refused(text: str) -> None:
    with pytest.raises(NameRefusedError):
        step_name(text)


@pytest.mark.parametrize("text", ["", ".", "a..b", ".a", "a.", "_a"])
def test_a_key_is_a_path_of_names(text: str) -> None:
    with pytest.raises(NameRefusedError):
        key_name(text)
