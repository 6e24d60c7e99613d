import json
from hashlib import sha256

import pytest

from nervous_system.changes import (
    MAX_PATCH_BYTES,
    encode_value,
    file_change,
    resource_name,
    unified_diff,
    value_change,
)
from nervous_system.errors import InvalidEventError


def hex_of(content: bytes) -> str:
    return sha256(content).hexdigest()


def test_file_change_has_hashes_patch_size_and_mode() -> None:
    change = file_change(
        "src/a.py", before=b"old\n", after=b"new\n", mode=0o100755, is_reversible=True
    )
    assert change.target_type == "FILE_SYSTEM"
    assert change.previous_state_hash == hex_of(b"old\n")
    assert change.new_state_hash == hex_of(b"new\n")
    assert change.diff_patch == "--- a/src/a.py\n+++ b/src/a.py\n@@ -1 +1 @@\n-old\n+new\n"
    assert (change.mode, change.size_bytes) == (0o755, 4)


def test_new_file_comes_from_nothing() -> None:
    change = file_change("a", before=None, after=b"", is_reversible=True)
    assert (change.previous_state_hash, change.new_state_hash) == ("", hex_of(b""))


def test_deleted_file_becomes_nothing() -> None:
    change = file_change("a", before=b"x\n", after=None, is_reversible=True)
    assert (change.new_state_hash, change.size_bytes) == ("", 0)
    assert change.diff_patch == "--- a/a\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n"


def test_renamed_file_keeps_its_former_name() -> None:
    change = file_change("b.py", before=b"x", after=b"x", renamed_from="./a.py", is_reversible=True)
    assert (change.target_resource, change.renamed_from) == ("b.py", "a.py")


def test_name_that_is_not_utf8_is_kept_as_bytes() -> None:
    name = resource_name(b"src/\xff.py")
    assert (name.readable, name.raw) == ("src/\\xff.py", b"src/\xff.py")


def test_name_from_the_file_system_and_its_bytes_are_the_same() -> None:
    assert resource_name("src/\udcff.py") == resource_name(b"src/\xff.py")


def test_names_are_normal() -> None:
    assert resource_name("./src//x/../a.py").readable == "src/a.py"


def test_empty_name_is_refused() -> None:
    with pytest.raises(InvalidEventError):
        resource_name("")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"a\0b", b"x"),
        (b"x", b"\xff\xfe"),
        (None, b"x\n" * MAX_PATCH_BYTES),
        (b"x" * (MAX_PATCH_BYTES + 1), b"y"),
        (b"same", b"same"),
    ],
)
def test_patch_of_binary_large_or_equal_content_is_left_out(
    before: bytes | None, after: bytes | None
) -> None:
    assert unified_diff("a", "a", before, after) == ""


def test_small_change_of_a_large_file_has_a_small_patch() -> None:
    lines = [f"line {number}\n" for number in range(100_000)]
    changed = [*lines[:50_000], "new\n", *lines[50_001:]]
    patch = unified_diff("a", "a", "".join(lines).encode(), "".join(changed).encode())
    assert "@@ -49998,7 +49998,7 @@" in patch
    assert len(patch) < 200


def test_missing_newline_at_the_end_is_told() -> None:
    patch = unified_diff("a", "a", b"x\ny", b"x\nz\n")
    assert patch.endswith("-y\n\\ No newline at end of file\n+z\n")


def test_value_change_carries_the_new_value_as_json() -> None:
    old, new = encode_value("dev"), encode_value({"b": 1, "a": "ü"})
    change = value_change("ENV_VAR", "STAGE", before=old, after=new, is_reversible=True)
    assert json.loads(change.diff_patch) == {"a": "ü", "b": 1}
    assert change.new_state_hash == hex_of(b'{"a":"\xc3\xbc","b":1}')
    assert change.previous_state_hash == hex_of(b'"dev"')


def test_value_that_is_gone_has_no_hash() -> None:
    change = value_change("ENV_VAR", "X", before=b'"1"', after=None, is_reversible=True)
    assert (change.new_state_hash, change.diff_patch) == ("", "")


@pytest.mark.parametrize("value", [float("nan"), object(), {1, 2}])
def test_value_without_json_form_is_refused(value: object) -> None:
    with pytest.raises(InvalidEventError):
        encode_value(value)


def test_symbolic_link_is_told_from_a_file_by_its_mode() -> None:
    link = file_change("a", before=None, after=b"b", mode=0o120777, is_reversible=True)
    plain = file_change("a", before=None, after=b"b", mode=0o100777, is_reversible=True)
    assert (link.mode, plain.mode) == (0o120000, 0o777)
