import pytest

from infrastructure.stack.disk import DiskVerdict, judge_disk
from infrastructure.stack.http_probe import HttpAnswer

FULL = HttpAnswer(
    503,
    b'{"status":"unavailable","error":"JetStream stream \'$G > S\' write error: write /s/1.blk: '
    b'no space left on device"}',
)


@pytest.mark.parametrize(
    ("answer", "free", "verdict"),
    [
        (HttpAnswer(200, b'{"status":"ok"}'), 0, DiskVerdict.WELL),
        (HttpAnswer(503, b'{"status":"unavailable","error":"recovering"}'), 0, DiskVerdict.WELL),
        (None, 0, DiskVerdict.WELL),
        (FULL, 99, DiskVerdict.WAIT),
        (FULL, 100, DiskVerdict.RESTART),
    ],
)
def test_verdict_follows_from_health_and_room(
    answer: HttpAnswer | None, free: int, verdict: DiskVerdict
) -> None:
    assert judge_disk(answer, free, min_free_bytes=100) is verdict
