"""Comparison of streams, and the identity of one."""

from datetime import UTC, datetime, timedelta

import pytest
from nats.js import api

from nervous_system.comms.streams import (
    StreamConfig,
    compare_stream,
    stream_identity,
    swarm_streams,
)

CONFIG = StreamConfig(name="S", subjects=("a.>", "b.>"))


def found(**changes: object) -> dict[str, object]:
    return {**vars(api.StreamConfig(**CONFIG.declared())), **changes}  # type: ignore[arg-type]


def test_stream_as_declared_needs_nothing() -> None:
    comparison = compare_stream(CONFIG.declared(), found(description="theirs", placement=None))
    assert not comparison.updates
    assert not comparison.conflicts


def test_order_of_subjects_does_not_matter() -> None:
    assert not compare_stream(CONFIG.declared(), found(subjects=["b.>", "a.>"])).updates


@pytest.mark.parametrize(
    ("field", "value"),
    [("max_bytes", 1), ("max_age", 5.0), ("duplicate_window", 1.0), ("subjects", ["c.>"])],
)
def test_what_may_change_is_updated(field: str, value: object) -> None:
    comparison = compare_stream(CONFIG.declared(), found(**{field: value}))
    assert dict(comparison.updates) == {field: CONFIG.declared()[field]}
    assert not comparison.conflicts


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("storage", api.StorageType.MEMORY),
        ("retention", api.RetentionPolicy.INTEREST),
        ("deny_delete", True),
        ("deny_purge", True),
    ],
)
def test_what_may_not_change_is_a_conflict_with_both_values(field: str, value: object) -> None:
    comparison = compare_stream(CONFIG.declared(), found(**{field: value}))
    assert dict(comparison.conflicts) == {field: (CONFIG.declared()[field], value)}


def test_denials_can_be_switched_on() -> None:
    declared = StreamConfig(name="S", subjects=("a.>",), denies_removal=True).declared()
    comparison = compare_stream(declared, {**declared, "deny_purge": False})
    assert dict(comparison.updates) == {"deny_purge": True}


def test_streams_of_a_swarm_do_not_share_subjects() -> None:
    subjects = [subject for config in swarm_streams() for subject in config.subjects]
    assert sorted(set(subjects)) == sorted(subjects)


def test_only_checkpoints_deny_removal_and_what_must_last_never_expires() -> None:
    configs = {config.name: config for config in swarm_streams()}
    assert [name for name, config in configs.items() if config.denies_removal] == [
        "SWARM_CHECKPOINTS"
    ]
    assert [name for name, config in configs.items() if not config.max_age] == [
        "SWARM_CHECKPOINTS",
        "SWARM_COORDINATION",
    ]
    assert configs["ENCHANTED_SWARM"].max_age == timedelta(days=30)


def test_identity_is_name_and_creation_time() -> None:
    info = api.StreamInfo(
        config=api.StreamConfig(name="S"),
        state=api.StreamState(messages=0, bytes=0, first_seq=0, last_seq=0, consumer_count=0),
        created=datetime(2026, 1, 2, 3, 4, 5, 600, tzinfo=UTC),
    )
    assert stream_identity(info) == "S@2026-01-02T03:04:05.000600Z"
