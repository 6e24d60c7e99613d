"""Brings the files of a plan into a directory, small ones together, large ones piece by piece."""

import asyncio
from collections.abc import Mapping, Sequence

from cortex.engine.content_source import ContentSource
from cortex.engine.restore_files import RestoreDirectory
from cortex.engine.restore_plan import PlannedFile, Problem, groups, is_small
from nervous_system.errors import ContentMissingError

DAMAGED = "its content is damaged: it is not what its digest says"


async def restore_files(
    directory: RestoreDirectory, files: Sequence[PlannedFile], contents: ContentSource
) -> list[Problem]:
    """Write all files; return those that could not be written, with the reason."""
    problems: list[Problem] = []
    for group in groups(files):
        if is_small(group[0]):
            small = await contents.get_small([file.digest for file in group])
            problems += await asyncio.to_thread(_write_all, directory, group, small)
        else:
            problems += await _write_large(directory, group[0], contents)
    return problems


def _write_all(
    directory: RestoreDirectory, group: Sequence[PlannedFile], small: Mapping[str, bytes]
) -> list[Problem]:
    problems: list[Problem] = []
    for file in group:
        if file.digest not in small:
            problems.append(Problem(path=file.path, reason=DAMAGED))
            continue
        try:
            directory.write(file, small[file.digest])
        except OSError as error:
            problems.append(_not_written(file, error))
    return problems


async def _write_large(
    directory: RestoreDirectory, file: PlannedFile, contents: ContentSource
) -> list[Problem]:
    try:
        with directory.open(file) as target:
            async for piece in contents.pieces(file.digest):
                await asyncio.to_thread(target.write, piece)
    except ContentMissingError:
        return [Problem(path=file.path, reason=DAMAGED)]
    except OSError as error:
        return [_not_written(file, error)]
    return []


def _not_written(file: PlannedFile, error: OSError) -> Problem:
    return Problem(path=file.path, reason=f"it cannot be written: {error.strerror or error}")
