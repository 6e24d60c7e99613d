"""Files that commands write: whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def replaced_file(path: Path) -> Iterator[BinaryIO]:
    """Give a file to write that takes the place of `path` when the block ends well.

    What is no ordinary file, as `/dev/stdout` or a named pipe, is written as it is.

    Raises:
        OSError: it cannot be written; the error names `path`.
    """
    if path.exists() and not path.is_file():
        with path.open("wb") as file:
            yield file
        return
    target = path.resolve()  # a symbolic link goes on pointing to it
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    opened = _opened(temporary, path)
    try:
        with opened as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def _opened(temporary: Path, path: Path) -> BinaryIO:
    try:
        return temporary.open("wb")
    except OSError as error:
        error.filename = str(path)  # nobody knows the name of the temporary file
        raise
