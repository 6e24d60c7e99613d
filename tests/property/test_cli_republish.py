"""A replay never lands among the swarm's own events."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cortex.cli.republish import check_prefix, republished_subject

TOKEN = st.text("abcxyz-_%$", min_size=1, max_size=6)
PREFIXES = st.lists(st.sampled_from(["swarm", "events", "tasks", "replay"]) | TOKEN, max_size=4)


@given(PREFIXES, st.sampled_from(["", ".", ".>"]))
def test_no_accepted_prefix_leads_into_the_events(tokens: list[str], end: str) -> None:
    try:
        prefix = check_prefix(".".join(tokens) + end)
    except ValueError:
        return
    subject = republished_subject("swarm.events.coder.decision.a", prefix)
    assert not subject.startswith(("swarm.events.", "swarm.tasks.", "$"))
    assert subject.endswith(".coder.decision.a")


@pytest.mark.parametrize(
    "prefix",
    [
        *("swarm.events", "swarm.events.copy", "swarm.events.>", "swarm.coordination.x", "swarm"),
        *("", ".", "a..b", "a b", "a.*", "a.>.b", ">", "$JS.API", "_INBOX.x", "a\x00b"),
    ],
)
def test_a_prefix_that_could_be_mistaken_is_refused(prefix: str) -> None:
    with pytest.raises(ValueError, match="prefix"):
        check_prefix(prefix)


@pytest.mark.parametrize(
    "prefix", ["replay", "replay.today", "replay.>", "replay.", "swarm.eventsx"]
)
def test_other_prefixes_are_accepted(prefix: str) -> None:
    assert republished_subject("swarm.events.coder.decision", check_prefix(prefix)) == (
        f"{prefix.rstrip('>').rstrip('.')}.coder.decision"
    )
