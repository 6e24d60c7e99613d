"""Chains that may be broken, from ends and sums: never one too few, and none without a reason."""

from dataclasses import replace

from hypothesis import assume, given
from hypothesis import strategies as st

from cortex.engine.recovery import NOTHING, Change, State, breaks, is_ambiguous, replay
from cortex.engine.strands import suspects
from tests.support.changes import Tree, digest_of, edited_trees, further_edits, strands_of


@given(edited_trees(max_edits=30), st.booleans())
def test_whole_chains_are_not_suspected(tree: Tree, is_complete: bool) -> None:
    assume(not any(is_ambiguous(one.renamed_from) or overwrites(one, tree) for one in tree.changes))
    assert suspects(strands_of(tree.changes), NOTHING, is_complete=is_complete) == set()


@given(edited_trees(), st.data())
def test_a_whole_chain_that_goes_on_from_a_start_is_not_suspected(
    parent: Tree, data: st.DataObject
) -> None:
    fork = data.draw(further_edits(parent, max_edits=20))
    start = replay(parent.changes)
    renames = [one for one in fork.changes if one.renamed_from]
    assume(not any(is_ambiguous(one.renamed_from) for one in renames))
    assume(not any(overwrites(one, fork, start) for one in renames))
    assert suspects(strands_of(fork.changes), start, is_complete=True) == set()


@given(edited_trees(max_edits=20), st.data(), st.booleans())
def test_every_change_from_outside_is_suspected(
    tree: Tree, data: st.DataObject, is_complete: bool
) -> None:
    """Wherever one record starts from a state that nobody recorded."""
    assume(tree.changes)
    place = data.draw(st.integers(0, len(tree.changes) - 1))
    altered = replace(tree.changes[place], previous_digest=digest_of(b"from outside"))
    changes = [*tree.changes[:place], altered, *tree.changes[place + 1 :]]
    found = list(breaks(changes, is_complete=is_complete))
    names = suspects(strands_of(changes), NOTHING, is_complete=is_complete)
    assert {one.change.resource.readable for one in found} <= names


@given(edited_trees(max_edits=20), st.data())
def test_a_missing_record_is_suspected(tree: Tree, data: st.DataObject) -> None:
    """A change in the middle that nobody recorded: what came of it is where the next one starts."""
    assume(tree.changes)
    place = data.draw(st.integers(0, len(tree.changes) - 1))
    changes = [*tree.changes[:place], *tree.changes[place + 1 :]]
    found = list(breaks(changes, is_complete=True))
    names = suspects(strands_of(changes), NOTHING, is_complete=True)
    assert {one.change.resource.readable for one in found} <= names


def overwrites(change: Change, tree: Tree, start: State = NOTHING) -> bool:
    """Whether a rename took the place of a file: what that held is nowhere started from."""
    if not change.renamed_from:
        return False
    before = replay(tree.changes[: tree.changes.index(change)], start)
    there = before.get(change.resource)
    return there is not None and there.is_present
