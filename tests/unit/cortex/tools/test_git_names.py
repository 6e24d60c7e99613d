from cortex.tools.git_names import (
    branch_name,
    format_message,
    is_storable,
    parse_name_status,
    parse_raw_diff,
    parse_submodules,
    work_tree_name,
)


def test_branch_of_an_ordinary_run_is_its_id() -> None:
    assert branch_name("0189-ab") == "swarm/0189-ab"


def test_what_no_branch_can_hold_becomes_a_dash() -> None:
    assert branch_name("my run: ~1") == "swarm/my-run-1"
    assert branch_name("...") == "swarm/run"


def test_message_has_subject_body_and_trailers() -> None:
    message = format_message("Fix  it\nnow", "Because.\r\n", "r1", ["e1", "e2", "e1"])
    assert message == "Fix it now\n\nBecause.\n\nSwarm-Run: r1\nSwarm-Event: e1\nSwarm-Event: e2\n"


def test_work_trees_have_names_that_are_directories() -> None:
    assert work_tree_name("../coder 1") == "coder-1"
    assert work_tree_name("..") == "agent"


def test_submodules_are_told_from_files() -> None:
    tree = b"100644 blob aa\ta.py\x00160000 commit bb\tlib/x\x00"
    assert parse_submodules(tree) == (b"lib/x",)


def test_status_of_each_name_is_read() -> None:
    assert parse_name_status(b"M\0a\0D\0b c\0") == {b"a": b"M", b"b c": b"D"}


def test_repositories_inside_are_not_stored() -> None:
    assert is_storable(b"a/b")
    assert not is_storable(b"nested/")
    assert not is_storable(b"nested/.Git/config")


def test_raw_difference_is_read_without_submodules() -> None:
    none, one, two = "0" * 40, "1" * 40, "2" * 40
    entries = [
        (f":100644 100755 {one} {two} M", b"a b\n"),
        (f":000000 120000 {none} {one} A", b"link"),
        (f":100644 000000 {one} {none} D", b"\xff"),
        (f":160000 160000 {one} {two} M", b"sub"),
    ]
    output = b"".join(about.encode() + b"\0" + path + b"\0" for about, path in entries)
    assert parse_raw_diff(output) == [
        (b"a b\n", one, two, 0o755),
        (b"link", None, one, 0o120000),
        (b"\xff", one, None, 0),
    ]
    assert parse_raw_diff(b"") == []
