"""A mailbox shows each message once, in order; removing touches one reader only."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from cortex.coordination.mailbox_rules import (
    Message,
    Reading,
    read,
    removed_all,
    removed_some,
    visible,
)
from nervous_system.payloads import BROADCAST

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@st.composite
def mail(draw: st.DrawFn) -> list[Message]:
    """What lies on the subjects that concern agent `me`, in order."""
    sequences = sorted(draw(st.sets(st.integers(1, 40), max_size=12)))
    return [
        Message(
            message_id=f"m{sequence}",
            sequence=sequence,
            sender=draw(st.sampled_from(["me", "you", "them"])),
            recipient=draw(st.sampled_from(["me", BROADCAST])),
            text="",
            step="",
            at=NOW,
        )
        for sequence in sequences
    ]


def behind(messages: list[Message], sequence: int) -> list[Message]:
    return [one for one in messages if one.sequence > sequence]


@given(mail(), st.lists(st.integers(0, 12), max_size=5))
def test_each_message_is_new_once_and_in_order(messages: list[Message], cuts: list[int]) -> None:
    """However the messages arrive in pieces."""
    reading, shown = Reading(), []
    for end in [*sorted(cuts), len(messages)]:
        there = messages[:end]
        new = behind(visible(there, reading, "me"), reading.read_through)
        shown += [one.message_id for one in new]
        reading = read(there, reading)
    assert shown == [one.message_id for one in visible(messages, Reading(), "me")]


@given(mail(), st.data())
def test_what_is_removed_is_gone_and_all_else_is_left(
    messages: list[Message], data: st.DataObject
) -> None:
    """However it is done, one by one or together, with reading in between."""
    reading = Reading()
    gone: set[str] = set()
    for _ in range(data.draw(st.integers(0, 4))):
        there = visible(messages, reading, "me")
        some = data.draw(st.lists(st.sampled_from(there), max_size=4)) if there else []
        gone |= {one.message_id for one in some}
        late = behind(messages, reading.removed_through)
        reading = removed_some(late, [one.message_id for one in some], reading, "me")
        reading = read(messages, reading)
    before = [one.message_id for one in visible(messages, Reading(), "me")]
    after = [one.message_id for one in visible(messages, reading, "me")]
    assert after == [one for one in before if one not in gone]


@given(mail())
def test_ids_are_kept_only_behind_what_is_left(messages: list[Message]) -> None:
    """A mailbox that is emptied message by message keeps one number, and no ids."""
    reading = Reading()
    for one in visible(messages, Reading(), "me"):
        reading = removed_some(
            behind(messages, reading.removed_through), [one.message_id], reading, "me"
        )
    assert reading.removed == frozenset()


@given(mail(), st.integers(0, 12))
def test_removing_all_that_was_shown_leaves_what_came_later(
    messages: list[Message], end: int
) -> None:
    reading = removed_all(messages[:end], Reading())
    assert visible(messages, reading, "me") == visible(messages[end:], Reading(), "me")
