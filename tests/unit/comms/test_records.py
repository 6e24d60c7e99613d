from nervous_system.comms.contracts import Outgoing, Receipt
from nervous_system.comms.records import numbered_outgoing, stored_receipt


def test_receipt_is_the_one_that_its_class_makes() -> None:
    made = Receipt(event_id="a", stream="b", sequence=3, duplicate=True)
    assert stored_receipt("a", "b", 3, True) == made


def test_outgoing_is_the_one_that_its_class_makes() -> None:
    made = Outgoing(
        subject="a", payload=b"b", event_id="c", emitter_id="d", emitter_seq=5, headers={"e": "f"}
    )
    assert numbered_outgoing("a", b"b", "c", "d", 5, {"e": "f"}) == made
