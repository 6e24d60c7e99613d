"""Whatever the pieces in which bytes arrive, the parser reads the same messages."""

from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from infrastructure.ingestor.protocol import MessageParser, parse_position

PAYLOADS = st.lists(
    st.tuples(st.one_of(st.binary(max_size=40), st.just(b"\r\nMSG a 1 2\r\n")), st.booleans()),
    max_size=12,
)
HEADERS = b"NATS/1.0\r\nNats-Msg-Id: x\r\n\r\n"
STATUS = b"NATS/1.0 408 Request Timeout\r\nNats-Pending-Messages: 7\r\n\r\n"


def hot(sequence: int, payload: bytes, has_headers: bool) -> bytes:
    reply = b"$JS.ACK.S.c.1.%d.%d.1700000000000000000.5" % (sequence, sequence)
    if has_headers:
        sizes = (len(HEADERS), len(HEADERS) + len(payload))
        return b"HMSG s.t 1 %b %d %d\r\n%b%b\r\n" % (reply, *sizes, HEADERS, payload)
    return b"MSG s.t 1 %b %d\r\n%b\r\n" % (reply, len(payload), payload)


def feed(parser: MessageParser, data: bytes, cuts: list[int]) -> None:
    at = 0
    for end in [*sorted(cut % (len(data) + 1) for cut in cuts), len(data)]:
        piece = data[at:end]
        parser.buffer()[: len(piece)] = piece
        parser.received(len(piece))
        at = max(at, end)


@given(payloads=PAYLOADS, cuts=st.lists(st.integers(0, 4_000), max_size=8))
def test_messages_survive_any_cutting(payloads: list[tuple[bytes, bool]], cuts: list[int]) -> None:
    data = b"PING\r\n" + b"".join(hot(n, *one) for n, one in enumerate(payloads, 1))
    data += b"HMSG inbox 1 %d %d\r\n%b\r\n" % (len(STATUS), len(STATUS), STATUS)
    data += b"MSG inbox.r.1 2 4\r\nabcd\r\nPONG\r\n"
    parser = MessageParser()
    feed(parser, data, cuts)
    assert parser.batch.payloads == [payload for payload, _ in payloads]
    assert parser.batch.sequences == list(range(1, len(payloads) + 1))
    assert parser.control == [b"PING", b"PONG"]
    assert [one.payload for one in parser.messages] == [b"", b"abcd"]
    assert parser.messages[0].status == (408, "Request Timeout")
    assert parser.messages[0].header("nats-pending-messages") == "7"


def test_a_message_larger_than_the_buffer_is_read_whole() -> None:
    payload = bytes(range(256)) * 20_000
    parser, data = MessageParser(), hot(1, payload, True) + hot(2, b"x", False)
    feed(parser, data, list(range(0, len(data), 65_000)))
    assert parser.batch.payloads == [payload, b"x"]


def test_the_place_in_the_stream_is_read_from_both_forms_of_reply() -> None:
    short = parse_position(b"$JS.ACK.S.c.1.41.7.1700000000000000000.9")
    long = parse_position(b"$JS.ACK.hub.acc.S.c.1.41.7.1700000000000000000.9.token")
    assert short == long
    assert (short.sequence, short.stored_ns, short.pending) == (41, 1700000000000000000, 9)


@given(steps=st.lists(st.integers(1, 3), min_size=1, max_size=12), cut=st.integers(0, 2_000))
def test_gaps_in_the_stream_stay_gaps(steps: list[int], cut: int) -> None:
    sequences = list(accumulate(steps))
    reply = b"$JS.ACK.S.c.1.%d.%d.1700000000000000000.5"
    replies = [reply % (sequence, count) for count, sequence in enumerate(sequences, 1)]
    parser = MessageParser()
    parser.follow("S", "c")
    feed(parser, b"".join(b"MSG s.t 1 %b 1\r\nx\r\n" % one for one in replies), [cut])
    assert parser.batch.sequences == sequences
