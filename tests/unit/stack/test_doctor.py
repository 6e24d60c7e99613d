from dataclasses import replace
from datetime import timedelta

import pytest

from infrastructure.stack.doctor import Facts, Level, StreamFacts, examine

GIB = 1024**3
STREAM = StreamFacts(
    name="S",
    first_sequence=1,
    last_sequence=100,
    bytes=GIB,
    max_bytes=8 * GIB,
    max_age=timedelta(days=30),
    ingested_sequence=100,
)
HEALTHY = Facts(
    home="/h",
    is_running=True,
    syncs_always=True,
    free_bytes=8 * GIB,
    streams=[STREAM],
    versions={"nats-server": "2.15.1", "chdb": "4.4.0"},
    clock_difference={"nats": timedelta(milliseconds=3)},
    modes={"/h": 0o700, "/h/credentials.json": 0o600},
    has_pages=True,
)


def level_of(facts: Facts, check: str) -> Level:
    [finding] = [finding for finding in examine(facts) if finding.check == check]
    if finding.level in (Level.WARNING, Level.FAILED):
        assert finding.fix
    return finding.level


def with_stream(**changes: object) -> Facts:
    return replace(HEALTHY, streams=[replace(STREAM, **changes)])  # type: ignore[arg-type]


def test_healthy_set_up_has_only_good_findings() -> None:
    assert {finding.level for finding in examine(HEALTHY)} == {Level.OK}


def test_nothing_known_is_not_taken_for_health() -> None:
    levels = {
        finding.check: finding.level for finding in examine(Facts(home="/h", is_running=False))
    }
    unknown = dict.fromkeys(("fsync", "space", "dashboard"), Level.SKIPPED)
    assert levels == {"stack": Level.WARNING, **unknown}


@pytest.mark.parametrize(
    ("facts", "check", "level"),
    [
        (replace(HEALTHY, trouble="the disk is full"), "stack", Level.FAILED),
        (replace(HEALTHY, syncs_always=False), "fsync", Level.FAILED),
        (replace(HEALTHY, free_bytes=7 * GIB), "space", Level.OK),
        (replace(HEALTHY, free_bytes=7 * GIB - 1), "space", Level.WARNING),
        (replace(HEALTHY, versions={"nats-server": "2.11.9"}), "version nats-server", Level.FAILED),
        (replace(HEALTHY, versions={"chdb": None}), "version chdb", Level.SKIPPED),
        (
            replace(HEALTHY, clock_difference={"nats": timedelta(seconds=-3)}),
            "clock nats",
            Level.WARNING,
        ),
        (replace(HEALTHY, modes={"/h": 0o750}), "permissions /h", Level.FAILED),
        (replace(HEALTHY, modes={"/h": 0o604}), "permissions /h", Level.FAILED),
        (with_stream(bytes=4 * GIB), "fill S", Level.WARNING),
        (with_stream(bytes=7 * GIB), "fill S", Level.FAILED),
    ],
)
def test_trouble_is_found(facts: Facts, check: str, level: Level) -> None:
    assert level_of(facts, check) is level


@pytest.mark.parametrize(
    ("days", "level"),
    [(0, Level.OK), (14, Level.OK), (15, Level.WARNING), (24, Level.FAILED), (29, Level.FAILED)],
)
def test_events_that_wait_raise_the_alarm_long_before_they_expire(days: int, level: Level) -> None:
    facts = with_stream(ingested_sequence=40, oldest_waiting_age=timedelta(days=days))
    assert level_of(facts, "waiting S") is level


def test_events_that_expired_before_they_were_ingested_are_counted() -> None:
    facts = with_stream(first_sequence=51, ingested_sequence=40)
    [finding] = [finding for finding in examine(facts) if finding.check == "waiting S"]
    assert finding.level is Level.FAILED
    assert finding.detail.startswith("10 events expired")


def test_full_stream_that_drops_its_oldest_is_no_trouble() -> None:
    facts = with_stream(bytes=8 * GIB, refuses_when_full=False)
    assert "fill S" not in {finding.check for finding in examine(facts)}


def test_stream_that_never_expires_may_wait() -> None:
    facts = with_stream(
        ingested_sequence=0, max_age=timedelta(0), oldest_waiting_age=timedelta(days=999)
    )
    assert level_of(facts, "waiting S") is Level.OK


@pytest.mark.parametrize(
    ("has_pages", "level"),
    [(True, Level.OK), (False, Level.WARNING), (None, Level.SKIPPED)],
)
def test_pages_that_are_not_built_are_said(has_pages: bool | None, level: Level) -> None:
    assert level_of(replace(HEALTHY, has_pages=has_pages), "dashboard") is level
