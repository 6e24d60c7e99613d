"""Tampering with a real history beside a real stream: each deed is found and named."""

import asyncio
from collections.abc import AsyncIterator
from hashlib import sha256

import pytest

from infrastructure.history.client import open_history
from infrastructure.history.config import HistoryConfig
from infrastructure.history.migrate import migrate
from infrastructure.history.verify import cutting, span
from infrastructure.history.verify.signing import (
    create_key,
    parse_public_key,
    public_text,
    sign_head,
)
from infrastructure.ingestor.emitters import EmitterTracker
from infrastructure.ingestor.ledger import Head, format_head
from nervous_system.schemas import SwarmEvent
from tests.support.builders import (
    build_decision,
    build_event,
    build_state_change,
    build_workspace_created,
    subject_of,
)
from tests.support.ledgered import ChainedEmitter, life_of
from tests.support.verified import SmallSwarm, between, small_swarm


@pytest.fixture
async def swarm(nats_url: str, history_dsn: str) -> AsyncIterator[SmallSwarm]:
    """Two whole lives, 60 events in batches of 20, everything in history and noted."""
    with open_history(HistoryConfig(dsn=history_dsn)) as history:
        migrate(history)
        async with small_swarm(nats_url, history) as swarm:
            await swarm.publish(life_of("e1", 40) + life_of("e2", 20))
            await swarm.ingest()
            yield swarm


async def test_an_untouched_history_is_proven_with_nothing_left_open(swarm: SmallSwarm) -> None:
    report = (await swarm.verify()).report
    assert (report.is_ok, report.checked, report.unproven) == (True, 60, [])
    assert report.head == f"ENCHANTED_SWARM@60:{swarm.appender.head.root.hex()}"


async def test_messages_that_are_no_events_and_odd_events_are_no_problem(swarm: SmallSwarm) -> None:
    event = build_event(build_decision())
    event.timestamp.seconds = 2**50
    odd = event.SerializeToString() + b"\xf8\x3f\x01"
    await swarm.publish(
        [("swarm.events.x.y", b"\xff\x00 no event"), ("swarm.events.coder.decision", odd)]
    )
    await swarm.ingest()
    assert await swarm.problems() == []


async def test_rows_of_a_growing_history_are_verified_up_to_where_it_was(swarm: SmallSwarm) -> None:
    await swarm.publish(life_of("e3", 5))
    assert await swarm.problems() == []


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("rationale", "'I never said that'"),
        ("confidence_score", "0.1"),
        ("event_time", "event_time + 1"),
        ("rejected_alternatives", "[]"),
        ("attributes", "map('a', 'b')"),
        ("agent_id", "'somebody else'"),
        ("is_repeated", "1"),
        ("is_authenticated", "0"),
        ("kind", "'tombstone'"),
        ("event_id", "generateUUIDv4()"),
    ],
)
async def test_a_changed_column_is_named(swarm: SmallSwarm, column: str, value: str) -> None:
    swarm.alter(f"alter table swarm.events update {column} = {value} where stream_seq = 7")
    problems = (await swarm.verify()).report.problems
    assert [(one.kind, one.sequence, one.column) for one in problems] == [
        ("column_changed", 7, column)
    ]


async def test_a_changed_column_is_named_whatever_the_digest_ends_in(swarm: SmallSwarm) -> None:
    made = (build_event(build_decision()) for _ in range(100_000))
    event = next(one for one in made if sha256(one.SerializeToString()).digest()[-1] == 0)
    await swarm.publish([(subject_of(event), event.SerializeToString())])
    await swarm.ingest()
    swarm.alter("alter table swarm.events update rationale = '' where stream_seq = 61")
    problems = (await swarm.verify()).report.problems
    assert [(one.sequence, one.column) for one in problems] == [(61, "rationale")]


async def test_another_order_of_the_entries_of_a_map_is_no_change(swarm: SmallSwarm) -> None:
    event = build_event(build_decision())
    for number in range(8):
        event.attributes[f"name-{number}"] = "value"
    await swarm.publish([(subject_of(event), event.SerializeToString())])
    await swarm.ingest()
    swarm.alter(
        "alter table swarm.events update attributes = "
        "mapFromArrays(arrayReverse(mapKeys(attributes)), arrayReverse(mapValues(attributes))) "
        "where stream_seq = 61"
    )
    assert await swarm.problems() == []


async def test_a_problem_names_the_event_and_its_resource(swarm: SmallSwarm) -> None:
    event = build_event(build_state_change("src/auth.py"))
    await swarm.publish([(subject_of(event), event.SerializeToString())])
    await swarm.ingest()
    swarm.alter("alter table swarm.events update mode = 7 where stream_seq = 61")
    (problem,) = (await swarm.verify()).report.problems
    assert (problem.event_id, problem.resource) == (event.event_id, "src/auth.py")


async def test_a_flipped_byte_in_raw_is_found(swarm: SmallSwarm) -> None:
    swarm.alter(
        "alter table swarm.events update raw = concat(substring(raw, 1, 9), 'x', "
        "substring(raw, 11)) where stream_seq = 33"
    )
    assert await swarm.problems() == [("raw_changed", 33)]


async def test_a_changed_subject_is_found(swarm: SmallSwarm) -> None:
    swarm.alter("alter table swarm.events update subject = 'swarm.events.a.b' where stream_seq = 3")
    assert await swarm.problems() == [("subject_changed", 3)]


async def test_damage_in_some_of_many_spans_is_named_and_nothing_else(
    swarm: SmallSwarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cutting, "MAX_MESSAGES", 3)
    monkeypatch.setattr(span, "SPAN_SEQUENCES", 9)
    await swarm.publish([*life_of("e1", 3), ("swarm.events.x.y", b"\xff"), *life_of("e3", 30)])
    await swarm.ingest()
    assert await swarm.problems() == [("emitter_conflict", one) for one in (61, 62, 63)]
    swarm.alter("alter table swarm.events delete where stream_seq in (9, 10)")
    swarm.alter("alter table swarm.events update rationale = '' where stream_seq = 55")
    swarm.alter("alter table swarm.events update undecodable_reason = '' where stream_seq = 64")
    assert await swarm.problems() == [
        ("missing_row", 9),
        ("missing_row", 10),
        ("column_changed", 55),
        *[("emitter_conflict", one) for one in (61, 62, 63)],
        ("column_changed", 64),
    ]


async def test_a_deleted_row_is_missing(swarm: SmallSwarm) -> None:
    swarm.alter("alter table swarm.events delete where stream_seq = 12")
    assert await swarm.problems() == [("missing_row", 12)]


async def test_a_deleted_last_row_of_a_batch_takes_a_ledger_entry_with_it(
    swarm: SmallSwarm,
) -> None:
    swarm.alter("alter table swarm.events delete where stream_seq = 40")
    assert await swarm.problems() == [("ledger_missing", 21), ("missing_row", 40)]


async def test_a_doubled_row_is_found(swarm: SmallSwarm) -> None:
    swarm.alter("insert into swarm.events select * from swarm.events where stream_seq = 25")
    assert await swarm.problems() == [("doubled_row", 25)]


async def test_a_row_moved_to_another_sequence_is_found(swarm: SmallSwarm) -> None:
    swarm.alter(
        "insert into swarm.events select * replace(12 as stream_seq) "
        "from (select * from swarm.events where stream_seq = 13)"
    )
    swarm.alter("alter table swarm.events delete where stream_seq = 12 and emitter_seq = 12")
    assert await swarm.problems() == [("reordered_row", 12)]


async def test_two_rows_that_changed_places_are_found(swarm: SmallSwarm) -> None:
    swarm.alter(
        "insert into swarm.events select * replace(61 - stream_seq as stream_seq) "
        "from (select * from swarm.events where stream_seq in (30, 31))"
    )
    swarm.alter(
        "alter table swarm.events delete where stream_seq in (30, 31) and emitter_seq = stream_seq"
    )
    assert await swarm.problems() == [("reordered_row", 30), ("reordered_row", 31)]


async def test_a_changed_root_is_found(swarm: SmallSwarm) -> None:
    swarm.alter(
        "alter table swarm.events update ledger_root = repeat('x', 32) where stream_seq = 20"
    )
    found = await swarm.problems()
    assert ("ledger_root", 1) in found
    assert ("head_mismatch", 20) not in found  # the noted head still holds for the messages


async def test_a_changed_count_is_found(swarm: SmallSwarm) -> None:
    swarm.alter("alter table swarm.events update ledger_count = 3 where stream_seq = 40")
    assert await swarm.problems() == [("ledger_count", 21)]


async def test_a_cut_tail_is_found_by_the_noted_heads(swarm: SmallSwarm) -> None:
    swarm.alter("alter table swarm.events delete where stream_seq > 40")
    assert await swarm.problems() == [("tail_cut", 41)]


async def test_a_tail_cut_in_history_and_stream_alike_is_found(swarm: SmallSwarm) -> None:
    swarm.alter("alter table swarm.events delete where stream_seq > 40")
    for sequence in range(41, 61):
        await swarm.js.delete_msg("ENCHANTED_SWARM", sequence)
    assert await swarm.problems() == [("tail_cut", 41)]


async def test_a_tail_written_anew_in_other_batches_still_holds_and_is_told(
    swarm: SmallSwarm,
) -> None:
    swarm.alter("alter table swarm.events delete where stream_seq > 20")
    swarm.appender.head = swarm.appender.heads[0]
    swarm.appender.tracker = EmitterTracker()
    await swarm.ingest(size=7)
    assert await swarm.problems() == []
    assert await swarm.unproven() == {"ledger_rewritten"}


async def test_events_altered_everywhere_with_a_ledger_to_match_fail_the_noted_heads(
    swarm: SmallSwarm,
) -> None:
    """Whoever can write history and stream still cannot unwrite the heads that were noted."""
    swarm.alter("alter table swarm.events delete where stream_seq > 0")
    await swarm.js.delete_msg("ENCHANTED_SWARM", 5)
    swarm.messages = [message for message in swarm.messages if message[0] != 5]
    swarm.appender = type(swarm.appender)(swarm.history, swarm.appender.identity)
    await asyncio.to_thread(swarm.appender.append_all, swarm.messages, 20)
    found = await swarm.problems()
    assert ("head_mismatch", 20) in found
    assert ("emitter_gap", 6) in found


async def test_an_event_dropped_from_the_stream_is_vouched_for_by_the_ledger(
    swarm: SmallSwarm,
) -> None:
    await swarm.js.delete_msg("ENCHANTED_SWARM", 17)
    found = await swarm.problems()
    assert ("message_dropped", 17) in found
    assert not {kind for kind, _ in found} & {"foreign_row", "ledger_root", "ledger_count"}


async def test_a_row_that_was_never_a_message_is_foreign(swarm: SmallSwarm) -> None:
    await swarm.publish([("swarm.events.x.y", b"soon gone")])
    await swarm.js.delete_msg("ENCHANTED_SWARM", 61)
    swarm.messages.pop()
    await swarm.publish(life_of("e4", 3))
    await swarm.ingest()
    swarm.alter(
        "insert into swarm.events select * replace(61 as stream_seq) "
        "from (select * from swarm.events where stream_seq = 62)"
    )
    assert await swarm.problems() == [("foreign_row", 61)]


async def test_an_event_that_was_never_published_is_a_gap_of_its_emitter(swarm: SmallSwarm) -> None:
    events = life_of("e5", 6)
    await swarm.publish(events[:2] + events[3:])
    await swarm.ingest()
    assert await swarm.problems() == [("emitter_gap", 63)]


async def test_a_number_used_for_two_events_is_a_conflict(swarm: SmallSwarm) -> None:
    emitter = ChainedEmitter("e6")
    first = emitter.decide("one")
    emitter.number = 0
    emitter.digest = b""
    await swarm.publish([first, emitter.decide("another"), emitter.stop()])
    await swarm.ingest()
    assert ("emitter_conflict", 62) in await swarm.problems()


async def test_the_same_event_stored_twice_is_flagged_and_no_problem(swarm: SmallSwarm) -> None:
    emitter = ChainedEmitter("e7")
    first = emitter.decide("one")
    await swarm.publish([first, first, emitter.stop()])
    await swarm.ingest()
    assert await swarm.problems() == []


async def test_an_open_end_is_unproven_and_never_complete(swarm: SmallSwarm) -> None:
    await swarm.publish(life_of("e8", 6)[:4])
    await swarm.ingest()
    assert await swarm.problems() == []
    assert await swarm.unproven() == {"open_end"}


async def test_an_expired_part_of_the_stream_is_proven_against_the_ledger_and_told(
    swarm: SmallSwarm,
) -> None:
    await swarm.js.purge_stream("ENCHANTED_SWARM", seq=31)
    assert await swarm.problems() == []
    assert await swarm.unproven() == {"expired_stream"}


async def test_a_changed_row_of_an_expired_part_breaks_the_ledger(swarm: SmallSwarm) -> None:
    await swarm.js.purge_stream("ENCHANTED_SWARM", seq=31)
    swarm.alter("alter table swarm.events update subject = 'a.b' where stream_seq = 4")
    assert ("ledger_root", 1) in await swarm.problems()


async def test_a_changed_column_of_an_expired_part_is_named(swarm: SmallSwarm) -> None:
    await swarm.js.purge_stream("ENCHANTED_SWARM", seq=31)
    swarm.alter("alter table swarm.events update rationale = 'x' where stream_seq = 4")
    assert await swarm.problems() == [("column_changed", 4)]


async def test_a_head_noted_by_a_person_is_compared(swarm: SmallSwarm) -> None:
    noted = swarm.appender.heads[1]
    assert await swarm.problems(expected=(noted,)) == []
    other = Head(noted.stream, noted.sequence, b"\x01" * 32)
    assert await swarm.problems(expected=(other,)) == [("head_mismatch", 40)]
    beyond = Head(noted.stream, 99, b"\x01" * 32)
    assert await swarm.problems(expected=(beyond,)) == [("tail_cut", 61)]


async def test_a_range_is_widened_to_whole_batches_and_says_that_it_is_a_part(
    swarm: SmallSwarm,
) -> None:
    verification = await swarm.verify(wanted=between(25, 30))
    assert (verification.report.is_ok, verification.report.checked) == (True, 20)
    assert "partial_range" in {item.kind for item in verification.report.unproven}


async def test_problems_outside_the_wanted_range_are_not_looked_for(swarm: SmallSwarm) -> None:
    swarm.alter("alter table swarm.events update rationale = 'x' where stream_seq in (3, 27, 55)")
    assert await swarm.problems(wanted=between(25, 30)) == [("column_changed", 27)]


async def test_heads_signed_by_another_key_are_refused_and_unsigned_ones_told(
    swarm: SmallSwarm, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("keys")
    ours, theirs = create_key(folder / "ours"), create_key(folder / "theirs")
    await swarm.publish(life_of("e9", 5))
    await asyncio.to_thread(swarm.appender.append_all, swarm.messages[60:], 20)
    await swarm.note(swarm.appender.head, sign_head(theirs, swarm.appender.head))
    public = parse_public_key(public_text(theirs))
    assert await swarm.problems(public_key=public) == []
    assert "unsigned" in await swarm.unproven(public_key=public)
    other = parse_public_key(public_text(ours))
    assert await swarm.problems(public_key=other) == [("signature", 65)]


async def test_no_scratch_tables_are_left_behind(swarm: SmallSwarm) -> None:
    swarm.alter("alter table swarm.events update rationale = 'x' where stream_seq = 3")
    await swarm.verify()
    rows = swarm.history.query("select name from system.databases where name like 'swarm_verify%'")
    assert rows == []


async def test_a_lost_stream_leaves_a_history_that_is_ahead_and_still_holds(
    swarm: SmallSwarm,
) -> None:
    await swarm.js.delete_stream("ENCHANTED_SWARM")
    assert await swarm.problems() == [("history_ahead", 1)]


async def test_rows_pruned_with_their_head_kept_are_told_and_no_problem(swarm: SmallSwarm) -> None:
    head = swarm.appender.heads[0]
    swarm.alter(
        "insert into swarm.pruned_heads (stream, first_seq, last_seq, event_count, "
        f"stream_identity, head) values ('{head.stream}', 1, 20, 20, '', '{format_head(head)}')"
    )
    swarm.alter("alter table swarm.events delete where stream_seq <= 20")
    assert await swarm.problems() == []
    assert await swarm.unproven() == {"pruned_history", "unknown_start"}
    other = Head(head.stream, 20, b"\x01" * 32)
    assert await swarm.problems(expected=(other,)) == [("head_mismatch", 20)]
    within = Head(head.stream, 10, b"\x01" * 32)
    assert "pruned_history" in await swarm.unproven(expected=(within,))


async def test_rows_gone_from_the_beginning_without_a_kept_head_are_missing(
    swarm: SmallSwarm,
) -> None:
    await swarm.js.purge_stream("ENCHANTED_SWARM", seq=21)
    swarm.alter("alter table swarm.events delete where stream_seq <= 20")
    assert ("ledger_link", 40) in await swarm.problems()


def change_of(resource: str, before: str, after: str, workspace: str = "w") -> SwarmEvent:
    event = build_event(build_state_change(resource, before * 64, after * 64))
    event.workspace_id = workspace
    return event


async def test_a_change_from_outside_names_the_resource_and_the_last_valid_event(
    swarm: SmallSwarm,
) -> None:
    emitter = ChainedEmitter("painter")
    events = [
        change_of("a", "", "1"),
        change_of("b", "", "2"),
        change_of("a", "9", "3"),
        change_of("a", "3", "4"),
    ]
    await swarm.publish([*map(emitter.stamp, events), emitter.stop()])
    await swarm.ingest()
    (problem,) = (await swarm.verify()).report.problems
    assert (problem.kind.value, problem.sequence) == ("resource_chain", 63)
    assert (problem.resource, problem.event_id) == ("a", events[2].event_id)
    last_valid = (problem.last_valid_sequence, problem.last_valid_event_id)
    assert last_valid == (61, events[0].event_id)


async def test_a_break_in_what_is_not_numbered_is_a_doubt(swarm: SmallSwarm) -> None:
    events = [change_of("a", "", "1"), change_of("a", "9", "3")]
    await swarm.publish([(subject_of(one), one.SerializeToString()) for one in events])
    await swarm.ingest()
    report = (await swarm.verify()).report
    assert report.problems == []
    (doubt,) = [item for item in report.unproven if item.kind.value == "resource_chain"]
    assert doubt.sequence == 62


async def test_a_fork_at_an_earlier_event_goes_on_from_the_state_then(swarm: SmallSwarm) -> None:
    emitter = ChainedEmitter("painter")
    first = change_of("a", "", "1")
    created = build_event(build_workspace_created("v"))
    created.workspace_created.parent_workspace_id = "w"
    created.workspace_created.parent_event_id = first.event_id
    events = [first, change_of("a", "1", "2"), created, change_of("a", "1", "3", "v")]
    await swarm.publish([*map(emitter.stamp, events), emitter.stop()])
    await swarm.ingest()
    assert await swarm.problems() == []
    await swarm.publish([emitter.stamp(change_of("a", "9", "4", "v"))])
    await swarm.ingest()
    assert ("resource_chain", 66) in await swarm.problems()
