"""Spool records: what goes in comes out, and damage ends reading without inventing anything."""

from hypothesis import given
from hypothesis import strategies as st

from nervous_system.comms.contracts import Outgoing
from nervous_system.comms.spool_format import decode_records, encode_record

TEXT = st.text(st.characters(exclude_characters="\r\n\t", codec="utf-8"), max_size=40)
OUTGOING = st.builds(
    Outgoing,
    subject=TEXT,
    payload=st.binary(max_size=300),
    event_id=TEXT,
    emitter_id=TEXT,
    emitter_seq=st.integers(0, 2**64 - 1),
    headers=st.dictionaries(TEXT.filter(bool), TEXT, max_size=3),
)


@given(st.lists(OUTGOING, max_size=5), st.integers(0, 2**64 - 1))
def test_records_come_out_as_they_went_in(events: list[Outgoing], after: int) -> None:
    data = b"".join(encode_record(number, after, one) for number, one in enumerate(events, 1))
    records = list(decode_records(data))
    assert [one.outgoing for one in records] == events
    assert [one.number for one in records] == list(range(1, len(events) + 1))
    assert all(one.after_sequence == after for one in records)
    assert sum(one.size_bytes for one in records) == len(data)


@given(st.lists(OUTGOING, min_size=1, max_size=4), st.data())
def test_cut_data_gives_the_whole_records_before_the_cut(
    events: list[Outgoing], data: st.DataObject
) -> None:
    records = [encode_record(number, 0, one) for number, one in enumerate(events, 1)]
    whole = b"".join(records)
    cut = data.draw(st.integers(0, len(whole)))
    complete = 0
    while complete < len(records) and sum(map(len, records[: complete + 1])) <= cut:
        complete += 1
    assert [one.outgoing for one in decode_records(whole[:cut])] == events[:complete]


@given(st.lists(OUTGOING, min_size=1, max_size=4), st.data())
def test_flipped_bit_is_noticed(events: list[Outgoing], data: st.DataObject) -> None:
    whole = bytearray(
        b"".join(encode_record(number, 0, one) for number, one in enumerate(events, 1))
    )
    position = data.draw(st.integers(0, len(whole) - 1))
    whole[position] ^= 1 << data.draw(st.integers(0, 7))
    found = [one.outgoing for one in decode_records(bytes(whole))]
    assert found == events[: len(found)]
    assert len(found) < len(events)
