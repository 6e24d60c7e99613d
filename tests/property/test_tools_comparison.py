"""Differences lead from one state to the other, and every state on the way can exist."""

import stat
from hashlib import sha256

from hypothesis import given, settings
from hypothesis import strategies as st

from cortex.engine.manifest import ManifestEntry
from cortex.tools.comparison import Manifest, apply, compare

# Few names and contents, so that what matters, meets: renames into and out of directories.
names = st.sampled_from([b"a", b"b", b"\xff"])
paths = st.lists(names, min_size=1, max_size=2).map(b"/".join)
contents = st.sampled_from([b"", b"x", b"y"])
modes = st.sampled_from([0o644, 0o644, 0o644, 0o755, stat.S_IFLNK])


def is_tree(state: Manifest) -> bool:
    """Whether no file is a directory at the same time."""
    return not any(other.startswith(path + b"/") for path in state for other in state)


@st.composite
def trees(draw: st.DrawFn) -> dict[bytes, ManifestEntry]:
    found: dict[bytes, ManifestEntry] = {}
    for path, content, mode in draw(st.lists(st.tuples(paths, contents, modes), max_size=8)):
        entry = ManifestEntry(
            path=path, mode=mode, digest=sha256(content).hexdigest(), size_bytes=len(content)
        )
        if is_tree({**found, path: entry}):
            found[path] = entry
    return found


@given(trees(), trees())
def test_differences_lead_from_one_state_to_the_other(
    before: dict[bytes, ManifestEntry], after: dict[bytes, ManifestEntry]
) -> None:
    assert apply(before, compare(before, after)) == after


@settings(max_examples=1000)
@given(trees(), trees())
def test_every_state_on_the_way_is_a_tree(
    before: dict[bytes, ManifestEntry], after: dict[bytes, ManifestEntry]
) -> None:
    differences = compare(before, after)
    for count in range(len(differences) + 1):
        assert is_tree(apply(before, differences[:count]))


@settings(max_examples=1000)
@given(trees(), trees())
def test_nothing_is_told_twice_and_no_rename_changes_content(
    before: dict[bytes, ManifestEntry], after: dict[bytes, ManifestEntry]
) -> None:
    differences = compare(before, after)
    assert len({one.path for one in differences}) == len(differences)
    renames = [one for one in differences if one.renamed_from is not None]
    assert len({one.renamed_from for one in renames}) == len(renames)
    for one in renames:
        assert one.before is not None
        assert one.after is not None
        assert one.before.digest == one.after.digest
        assert one.after.size_bytes
        assert stat.S_ISLNK(one.before.mode) == stat.S_ISLNK(one.after.mode)
        assert one.renamed_from
        one.renamed_from.decode()


@given(trees())
def test_same_state_has_no_differences(state: dict[bytes, ManifestEntry]) -> None:
    assert compare(state, dict(state)) == []
