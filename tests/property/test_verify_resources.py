"""Chains of resources: what agents did one after another passes, what came from outside shows."""

from hypothesis import given
from hypothesis import strategies as st

from infrastructure.history.verify.resources import (
    MAX_WAITING,
    Break,
    Changed,
    Fork,
    Key,
    ResourceChains,
)

LENGTHS = st.integers(2, 40)


def key(name: str = "a", workspace: str = "w") -> Key:
    return (workspace, "FILE_SYSTEM", name)


def changed(sequence: int, previous: str, new: str, where: Key | None = None) -> Changed:
    return Changed(where or key(), None, previous, new, sequence, f"id-{sequence}", True)


def renamed(sequence: int, state: str, old: str, new: str) -> Changed:
    return Changed(key(new), key(old), state, state, sequence, f"id-{sequence}", True)


def whole(count: int, where: Key | None = None) -> list[Changed]:
    """Return a chain that begins with the creation of the resource."""
    states = ["", *(f"{number:064x}" for number in range(1, count + 1))]
    return [changed(at + 1, states[at], states[at + 1], where) for at in range(count)]


def follow(chains: ResourceChains, changes: list[Changed]) -> list[Break]:
    for change in changes:
        if change.renamed_from or not chains.follow(
            change.key, change.previous, change.new, change.sequence
        ):
            chains.observe(change)
    chains.finish()
    return chains.take_breaks()


def breaks_of(changes: list[Changed]) -> list[tuple[int, int]]:
    """Return sequences of the breaks, and of the last valid change before each."""
    found = follow(ResourceChains(), changes)
    return [(one.change.sequence, one.last_sequence) for one in found]


@given(st.lists(LENGTHS, min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_whole_chains_in_any_interleaving_pass(counts: list[int], random: object) -> None:
    chains = [whole(count, key(f"f{at}")) for at, count in enumerate(counts)]
    merged: list[Changed] = []
    while any(chains):
        chosen = random.choice([one for one in chains if one])  # type: ignore[attr-defined]
        merged.append(chosen.pop(0))
    assert breaks_of(merged) == []


@given(LENGTHS, st.data())
def test_a_dropped_change_is_one_break_after_the_last_valid_one(
    count: int, data: st.DataObject
) -> None:
    changes = whole(count)
    dropped = data.draw(st.integers(1, count - 1))
    del changes[dropped]
    expected = [(dropped + 2, dropped)] if dropped < count - 1 else []
    assert breaks_of(changes) == expected


@given(LENGTHS, st.data())
def test_neighbours_stored_the_other_way_round_pass(count: int, data: st.DataObject) -> None:
    changes = whole(count)
    place = data.draw(st.integers(0, count - 2))
    if place == 0:  # the chain begins with what is stored first
        return
    changes[place], changes[place + 1] = changes[place + 1], changes[place]
    assert breaks_of(changes) == []


def test_a_break_shows_although_its_resource_never_rests() -> None:
    changes = whole(4 * MAX_WAITING)
    del changes[2]
    assert breaks_of(changes) == [(4, 2)]


def test_what_was_there_before_the_swarm_is_taken_as_it_is() -> None:
    assert breaks_of([changed(1, "x", "y"), changed(2, "y", "")]) == []


def test_a_new_name_goes_on_from_the_state_of_the_old_one() -> None:
    start = [changed(1, "", "x"), renamed(2, "x", "a", "b")]
    assert breaks_of([*start, changed(3, "x", "y", key("b")), changed(4, "", "z")]) == []
    assert breaks_of([*start, changed(3, "q", "y", key("b"))]) == [(3, 2)]
    assert breaks_of([*start, changed(3, "x", "y", key("a"))]) == [(3, 2)]


def test_a_rename_of_other_content_is_a_break() -> None:
    assert breaks_of([changed(1, "", "x"), renamed(2, "q", "a", "b")]) == [(2, 1)]


def forked(*later: Changed) -> ResourceChains:
    """Return chains in which `v` was forked from `w` after `a` became `x`, and `later` in `w`."""
    chains = ResourceChains()
    assert follow(chains, [changed(1, "", "x")]) == []
    chains.create("v", Fork("w", "id-1", 2))
    assert follow(chains, list(later)) == []
    return chains


def test_a_fork_goes_on_from_the_state_of_its_parent_then() -> None:
    chains = forked(changed(3, "x", "y"), changed(4, "y", "z"))
    assert follow(chains, [changed(5, "x", "1", key(workspace="v"))]) == []
    assert follow(chains, [changed(6, "z", "2")]) == []


def test_a_fork_that_starts_elsewhere_is_a_break_of_its_own() -> None:
    chains = forked(changed(3, "x", "y"))
    (found,) = follow(chains, [changed(5, "y", "1", key(workspace="v"))])
    assert (found.expected, found.last_sequence) == ("x", 1)
    assert found.fork == Fork("w", "id-1", 2)


def test_a_fork_of_a_fork_reaches_back_to_the_first() -> None:
    chains = forked()
    chains.create("u", Fork("v", "id-2", 3))
    assert follow(chains, [changed(5, "x", "1", key(workspace="u"))]) == []
    (found,) = follow(chains, [changed(6, "q", "1", key(workspace="v"))])
    assert found.expected == "x"


def test_workspaces_that_lie_over_each_other_in_a_circle_end() -> None:
    chains = ResourceChains()
    chains.create("v", Fork("w", "", 1))
    chains.create("w", Fork("v", "", 2))
    assert follow(chains, [changed(3, "x", "y")]) == []
