import os
from hashlib import sha256
from pathlib import Path

import pytest

from cortex.errors import ToolFailedError
from cortex.tools.contents import CHUNK_BYTES, Contents


@pytest.fixture
def contents(tmp_path: Path) -> Contents:
    return Contents(tmp_path / "contents")


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES])
def test_open_file_is_kept_whole(contents: Contents, tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    (tmp_path / "f").write_bytes(content)
    with (tmp_path / "f").open("rb") as file:
        found = contents.keep_open_file(file.fileno(), max_bytes=size + 1)
    assert found == (sha256(content).hexdigest(), size)
    assert contents.get(found[0]) == content


def test_too_large_file_leaves_nothing_behind(contents: Contents, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(bytes(2 * CHUNK_BYTES))
    with (
        (tmp_path / "f").open("rb") as file,
        pytest.raises(ToolFailedError, match="more than 1048576 bytes"),
    ):
        contents.keep_open_file(file.fileno(), max_bytes=CHUNK_BYTES)
    assert os.listdir(tmp_path / "contents") == []


def test_missing_and_damaged_content_are_told(contents: Contents) -> None:
    digest = contents.keep(b"x")
    contents.path(digest).write_bytes(b"y")
    with pytest.raises(ToolFailedError, match="is damaged"):
        contents.get(digest)
    with pytest.raises(ToolFailedError, match="no content"):
        contents.get("0" * 64)
