from infrastructure.stack import remote
from infrastructure.stack.facts import listed_streams
from nervous_system.comms.streams import EVENTS_STREAM


def test_streams_are_listed_by_name_whatever_order_the_server_gives() -> None:
    details = [{"name": "B"}, {"name": "A"}]
    said = {"account_details": [{"stream_detail": details}, {}, {"stream_detail": [{"name": "0"}]}]}
    assert [stream["name"] for stream in listed_streams(said)] == ["0", "A", "B"]


def test_server_without_streams_lists_none() -> None:
    assert listed_streams({}) == []


def test_status_names_the_stream_of_events_without_loading_the_driver() -> None:
    assert remote.EVENTS_STREAM == EVENTS_STREAM
