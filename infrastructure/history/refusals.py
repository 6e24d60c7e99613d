"""Which refusals of an insert are the rows' own fault, and which rows; pure.

An insert is refused for many reasons: memory, rights, a schema, an engine that is about to stop.
Only what the engine says of the content of rows may cost a row its place as a decoded one.
"""

from collections.abc import Callable

from infrastructure.errors import InsertRejectedError, StaleBatchError

ROW_CODES = frozenset(
    {
        6,  # CANNOT_PARSE_TEXT
        26,  # CANNOT_PARSE_QUOTED_STRING
        27,  # CANNOT_PARSE_INPUT_ASSERTION_FAILED
        32,  # ATTEMPT_TO_READ_AFTER_EOF
        33,  # CANNOT_READ_ALL_DATA
        38,  # CANNOT_PARSE_DATE
        41,  # CANNOT_PARSE_DATETIME
        69,  # ARGUMENT_OUT_OF_BOUND
        70,  # CANNOT_CONVERT_TYPE
        72,  # CANNOT_PARSE_NUMBER
        117,  # INCORRECT_DATA
        128,  # TOO_LARGE_ARRAY_SIZE
        131,  # TOO_LARGE_STRING_SIZE
        190,  # SIZES_OF_ARRAYS_DONT_MATCH
        321,  # VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE
        376,  # CANNOT_PARSE_UUID
        407,  # DECIMAL_OVERFLOW
        435,  # PROTOBUF_BAD_CAST
        436,  # PROTOBUF_FIELD_NOT_REPEATED
        444,  # UNKNOWN_PROTOBUF_FORMAT
        467,  # CANNOT_PARSE_BOOL
        469,  # VIOLATED_CONSTRAINT
        691,  # UNKNOWN_ELEMENT_OF_ENUM
    }
)
"""ClickHouse's codes that speak of the content of rows."""


def blames_rows(error: InsertRejectedError) -> bool:
    """Return whether the engine refused what the rows hold, not the insert as such."""
    return error.code in ROW_CODES and not isinstance(error, StaleBatchError)


def refused_rows(count: int, probe: Callable[[int, int], None]) -> list[int]:
    """Return the positions of the rows that the engine refuses, found by halving.

    Args:
        count: how many rows there are.
        probe: tries the rows from a start up to an end, without keeping them.

    Raises:
        InsertRejectedError: a probe failed for a reason that says nothing of the rows.
    """
    refused: list[int] = []
    ranges = [(0, count)] if count else []
    while ranges:
        start, end = ranges.pop()
        try:
            probe(start, end)
        except InsertRejectedError as error:
            if not blames_rows(error):
                raise
            middle = (start + end) // 2
            if end - start == 1:
                refused.append(start)
            else:
                ranges += [(start, middle), (middle, end)]
    return sorted(refused)
