"""The benchmark of tasks counts what it measures: each task exactly once, also under kills."""

import asyncio

import pytest

from cortex.cli.bench.rig import open_rig
from cortex.cli.bench.tasks import measure_tasks


@pytest.mark.timeout(150)
def test_every_measured_task_is_completed_once() -> None:
    with open_rig() as rig:
        figures = asyncio.run(measure_tasks(rig, 40, 1))
    assert figures.tasks == 40
    assert len(figures.per_s) == 1
    assert len(figures.overhead_ms) > 100
