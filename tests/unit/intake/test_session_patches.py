"""Patches in the forms of several harnesses: read, applied, or refused where they do not fit."""

from infrastructure.intake.sessions.file_changes import FileStates, relative_path
from infrastructure.intake.sessions.patches import apply_patch, files_of_patch, patch_of_hunks
from infrastructure.intake.sessions.records import Edited
from nervous_system.changes import digest_of

BEFORE = "one\ntwo\nthree\n"
HUNK = {
    "oldStart": 2,
    "oldLines": 1,
    "newStart": 2,
    "newLines": 2,
    "lines": ["-two", "+2", "+2b"],
}
PATCH = "@@ -2,1 +2,2 @@\n-two\n+2\n+2b\n"


def test_hunks_make_a_unified_diff() -> None:
    assert patch_of_hunks([HUNK]) == PATCH


def test_a_patch_that_fits_is_applied() -> None:
    assert apply_patch(BEFORE, PATCH) == "one\n2\n2b\nthree\n"


def test_a_patch_that_does_not_fit_is_not_applied() -> None:
    assert apply_patch("other\n", PATCH) is None


def test_sections_of_a_patch_are_files() -> None:
    text = (
        "*** Begin Patch\n*** Add File: new.txt\n+a\n+b\n*** Update File: old.txt\n"
        "*** Move to: moved.txt\n@@\n-x\n+y\n*** Delete File: gone.txt\n*** End Patch\n"
    )
    added, updated, deleted = files_of_patch(text)
    assert (added.path, added.content, added.is_new) == ("new.txt", "a\nb\n", True)
    assert (updated.path, updated.moved_to) == ("old.txt", "moved.txt")
    assert (deleted.path, deleted.is_gone) == ("gone.txt", True)


def test_a_known_content_makes_the_next_one_known() -> None:
    states = FileStates()
    states.change(Edited(path="a.txt", after=BEFORE, is_new=True), "")
    change = states.change(Edited(path="a.txt", patch=PATCH), "")
    assert change.previous == digest_of(BEFORE.encode())
    assert change.new == digest_of(b"one\n2\n2b\nthree\n")
    assert change.states == ""


def test_an_unknown_state_has_a_digest_that_stands_for_it() -> None:
    change = FileStates().change(Edited(path="a.txt", patch=PATCH), "")
    assert len(change.new) == len(change.previous) == 64
    assert (change.states, change.contents) == ("before,after", ())


def test_states_of_one_file_follow_each_other() -> None:
    states = FileStates()
    first = states.change(Edited(path="a.txt", patch=PATCH), "")
    second = states.change(Edited(path="a.txt", patch=PATCH), "")
    assert second.previous == first.new


def test_no_change_from_a_transcript_can_be_restored() -> None:
    change = FileStates().change(Edited(path="a.txt", after=BEFORE, is_new=True), "")
    assert change.build().is_reversible is False  # type: ignore[union-attr]


def test_files_are_named_from_the_directory() -> None:
    assert relative_path("/srv/tree/src/a.py", "/srv/tree") == "src/a.py"
    assert relative_path("/srv/trees/a.py", "/srv/tree") == "/srv/trees/a.py"
