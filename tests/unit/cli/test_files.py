import os
from pathlib import Path

import pytest

from cortex.cli.files import replaced_file


def test_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "result"
    path.write_text("old")
    with replaced_file(path) as file:
        file.write(b"new")
        assert path.read_text() == "old"
    assert (path.read_text(), os.listdir(tmp_path)) == ("new", ["result"])


def test_file_stays_when_the_block_fails(tmp_path: Path) -> None:
    path = tmp_path / "result"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), replaced_file(path):
        raise ZeroDivisionError
    assert (path.read_text(), os.listdir(tmp_path)) == ("old", ["result"])


@pytest.mark.parametrize("name", ["missing/result", "file/result", "directory"])
def test_error_names_the_path_that_was_given(tmp_path: Path, name: str) -> None:
    (tmp_path / "directory").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(OSError) as raised, replaced_file(tmp_path / name):
        pass
    assert (raised.value.filename, raised.value.filename2) == (str(tmp_path / name), None)


def test_name_that_stands_for_another_file_goes_on_doing_so(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("result")
    with replaced_file(tmp_path / "link") as file:
        file.write(b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "result").read_bytes() == b"new"


def test_what_is_no_ordinary_file_is_written_and_not_replaced(tmp_path: Path) -> None:
    """`/dev/null`, `/dev/stdout`, a named pipe."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with replaced_file(pipe) as file:
        file.write(b"new")
    assert (os.read(reader, 9), pipe.is_fifo()) == (b"new", True)
    os.close(reader)
