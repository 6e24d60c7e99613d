"""The stack that is measured has no ingestor of its own: a second one would be measured with it."""

from cortex.cli.bench.rig import open_rig


def test_the_measured_stack_leaves_events_in_the_stream() -> None:
    with open_rig() as rig:
        names = {process["name"] for process in rig.record["processes"]}
    assert {"nats", "history"} <= names
    assert "ingestor" not in names
