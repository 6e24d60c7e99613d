"""Replaying changes: the state at every event, whole or in parts, and from the newest alone."""

from dataclasses import replace

from hypothesis import assume, given
from hypothesis import strategies as st

from cortex.engine.recovery import (
    NOTHING,
    State,
    breaks,
    manifest_entries,
    needs_replay,
    overlay,
    present,
    replay,
    with_manifest,
)
from tests.support.changes import Tree, digest_of, edited_trees, further_edits, newest_of


@given(edited_trees())
def test_replay_gives_the_files_as_they_are(tree: Tree) -> None:
    assert files_of(replay(tree.changes)) == files_in(tree)


@given(edited_trees(), st.integers(0, 12))
def test_replay_in_two_parts_is_replay_at_once(tree: Tree, cut: int) -> None:
    first, second = tree.changes[:cut], tree.changes[cut:]
    assert replay(second, replay(first)) == replay(first + second)


@given(edited_trees(max_edits=30), st.data())
def test_the_newest_changes_lead_to_the_same_state(tree: Tree, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(tree.changes)))
    newest = newest_of(tree.changes[cut:])
    assume(not needs_replay(newest))
    start = replay(tree.changes[:cut])
    assert overlay(newest, start) == replay(tree.changes[cut:], start)


@given(edited_trees(), st.data())
def test_a_fork_goes_on_from_its_parents_state(parent: Tree, data: st.DataObject) -> None:
    fork = data.draw(further_edits(parent))
    state = replay(fork.changes, replay(parent.changes))
    assert files_of(state) == files_in(fork)
    assert not list(breaks(fork.changes, replay(parent.changes), is_complete=True))


@given(edited_trees(), st.data())
def test_a_manifest_stands_for_the_state_it_was_made_of(tree: Tree, data: st.DataObject) -> None:
    before = replay(tree.changes)
    base = with_manifest(NOTHING, manifest_entries(before))
    assert files_of(base) == files_of(before)
    fork = data.draw(further_edits(tree))
    assert files_of(replay(fork.changes, base)) == files_in(fork)


@given(edited_trees())
def test_recorded_edits_leave_no_break(tree: Tree) -> None:
    assert list(breaks(tree.changes, is_complete=True)) == []


@given(edited_trees(), st.data())
def test_a_change_that_was_not_recorded_shows_at_the_next(tree: Tree, data: st.DataObject) -> None:
    assume(tree.changes)
    place = data.draw(st.integers(0, len(tree.changes) - 1))
    altered = replace(tree.changes[place], previous_digest=digest_of(b"from outside"))
    changes = [*tree.changes[:place], altered, *tree.changes[place + 1 :]]
    assert altered in [found.change for found in breaks(changes, is_complete=True)]


def files_of(state: State) -> dict[bytes, tuple[str, int]]:
    return {one.name: (found.digest, found.mode) for one, found in present(state).items()}


def files_in(tree: Tree) -> dict[bytes, tuple[str, int]]:
    return {name: (digest_of(content), mode) for name, (content, mode) in tree.files.items()}
