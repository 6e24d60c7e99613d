"""Following a line backwards: patches, comparisons and a naive model tell the same."""

from hypothesis import given
from hypothesis import strategies as st

from cortex.engine import blame
from cortex.engine.blame import blocks_between, blocks_of_patch, line_before, split_lines
from nervous_system.changes import unified_diff

LINES = st.lists(st.sampled_from([b"a", b"b", b"c", b"", b"+", b"-x", b"@@ -1 +1 @@", b"d\r"]))
TEXTS = st.tuples(LINES, st.booleans()).map(
    lambda drawn: b"\n".join(drawn[0]) + (b"\n" if drawn[1] and drawn[0] else b"")
)


@given(TEXTS, TEXTS)
def test_a_line_that_was_there_before_is_the_same_line(old: bytes, new: bytes) -> None:
    before, after = split_lines(old), split_lines(new)
    blocks = blocks_between(before, after)
    for number, text in enumerate(after):
        found = line_before(blocks, number)
        assert found is None or before[found] == text


@given(TEXTS, TEXTS)
def test_blocks_rebuild_the_new_content(old: bytes, new: bytes) -> None:
    before, after = split_lines(old), split_lines(new)
    assert rebuilt(before, after, blocks_between(before, after)) == after


@given(TEXTS, TEXTS)
def test_unique_lines_rebuild_it_as_well(old: bytes, new: bytes) -> None:
    before, after = split_lines(old), split_lines(new)
    pairs = blame._unique_matches(before, after)
    blocks = list(blame._gaps(pairs, len(before), len(after), 0))
    assert rebuilt(before, after, blocks) == after


@given(TEXTS, TEXTS)
def test_a_patch_says_what_the_contents_say(old: bytes, new: bytes) -> None:
    patch = unified_diff("f", "f", old, new)
    if patch:
        before, after = split_lines(old), split_lines(new)
        blocks = blocks_of_patch(patch)
        assert blocks is not None
        assert rebuilt(before, after, blocks) == after


@given(st.lists(TEXTS, max_size=6))
def test_blame_by_patches_agrees_with_a_naive_model(versions: list[bytes]) -> None:
    """The model hands a label from version to version; blame follows each line back."""
    contents = [b"", *versions]
    labels: list[int] = []
    steps = []
    for number in range(1, len(contents)):
        old, new = contents[number - 1], contents[number]
        patch = unified_diff("f", "f", old, new)
        blocks = blocks_of_patch(patch) if patch else []
        assert blocks is not None
        steps.append(blocks)
        labels = handed_on(labels, blocks, len(split_lines(new)), number)
    for line in range(len(labels)):
        assert writer_of(line, steps) == labels[line]


def test_a_patch_that_was_cut_is_not_trusted() -> None:
    assert blocks_of_patch("--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n-old\n+new\n") is None


def rebuilt(old: list[bytes], new: list[bytes], blocks: list[blame.Block]) -> list[bytes]:
    """Put the new lines of each block into the old content."""
    result: list[bytes] = []
    at = 0
    for block in blocks:
        result += old[at : block.old_start] + new[block.new_start : block.new_end]
        at = block.old_end
    return result + old[at:]


def handed_on(labels: list[int], blocks: list[blame.Block], length: int, number: int) -> list[int]:
    """Give the lines of a new version their labels: the version's own, or those of before."""
    kept = iter(
        label
        for line, label in enumerate(labels)
        if not any(block.old_start <= line < block.old_end for block in blocks)
    )
    return [
        number if any(block.new_start <= line < block.new_end for block in blocks) else next(kept)
        for line in range(length)
    ]


def writer_of(line: int, steps: list[list[blame.Block]]) -> int:
    for number in range(len(steps), 0, -1):
        before = line_before(steps[number - 1], line)
        if before is None:
            return number
        line = before
    return 0
