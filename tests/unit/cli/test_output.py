import enum
import json
import uuid
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import numpy
import pytest

from cortex.cli import output


class Colour(enum.Enum):
    RED = 1


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (2**64 - 1, 2**64 - 1),
        (datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC), "2026-01-02T03:04:05.000006Z"),
        (datetime(2026, 1, 2, 3, tzinfo=timezone(timedelta(hours=2))), "2026-01-02T01:00:00Z"),
        (datetime(2026, 1, 2), "2026-01-02T00:00:00Z"),  # noqa: DTZ001 - as ClickHouse returns it
        (b"text", "text"),
        (b"\xff\x00", "/wA="),
        (float("nan"), None),
        (float("inf"), None),
        (0.5, 0.5),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (Decimal("1.20"), "1.20"),
        (Colour.RED, "RED"),
        (numpy.uint64(7), 7),
        ({"a": (1, b"x")}, {"a": [1, "x"]}),
        (None, None),
        (True, True),
    ],
)
def test_values_become_what_json_can_hold(value: object, expected: object) -> None:
    assert output.to_json_value(value) == expected


def test_unknown_types_are_refused() -> None:
    with pytest.raises(TypeError, match="object has no place"):
        output.to_json_value(object())


@pytest.mark.parametrize("rows", [[], [{"a": 1}], [{"a": 1}, {"a": "é"}]])
def test_streamed_array_is_json(rows: list[object], capsys: pytest.CaptureFixture[str]) -> None:
    output.print_json_array(iter(rows))
    assert json.loads(capsys.readouterr().out) == rows


def test_table_columns_line_up_and_cells_stay_on_one_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    output.print_table([{"name": "a\nb", "n": 1}, {"name": "c", "n": None}])
    assert capsys.readouterr().out == "name  n\na\\nb  1\nc\n"


def test_progress_is_silent_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    output.progress("working")
    assert capsys.readouterr().err == ""
