from hashlib import sha256

import pytest

from infrastructure.ingestor.ledger import GENESIS, Head, format_head, leaf, next_root, parse_head


def test_the_root_is_the_one_that_the_contract_spells_out() -> None:
    identity, subject, raw = "S@t", b"swarm.events.coder.decision", b"payload"
    by_hand = (
        bytes(32)
        + len(identity).to_bytes(4, "big")
        + identity.encode()
        + (7).to_bytes(8, "big")
        + len(subject).to_bytes(4, "big")
        + subject
        + sha256(raw).digest()
    )
    assert next_root(GENESIS, identity, [leaf(7, subject, raw)]) == sha256(by_hand).digest()


def test_a_head_reads_back_as_it_was_written() -> None:
    head = Head("ENCHANTED_SWARM", 42, bytes(range(32)))
    assert parse_head(format_head(head)) == head
    assert format_head(head) == f"ENCHANTED_SWARM@42:{bytes(range(32)).hex()}"


@pytest.mark.parametrize("text", ["", "S@1", "S@1:zz", "S@-1:" + "0" * 64, "@1:" + "0" * 64])
def test_what_is_no_head_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a ledger head"):
        parse_head(text)


@pytest.mark.parametrize(
    "changed",
    [
        [(1, b"a", b"x"), (3, b"b", b"y")],
        [(1, b"a", b"x"), (2, b"c", b"y")],
        [(1, b"a", b"x"), (2, b"b", b"z")],
        [(2, b"b", b"y"), (1, b"a", b"x")],
        [(1, b"a", b"x")],
        [(1, b"ab", b"x"), (2, b"", b"y")],
    ],
)
def test_any_change_to_a_batch_changes_its_root(changed: list[tuple[int, bytes, bytes]]) -> None:
    batch = [(1, b"a", b"x"), (2, b"b", b"y")]
    leaves = [leaf(*one) for one in batch]
    assert next_root(GENESIS, "S", leaves) != next_root(
        GENESIS, "S", [leaf(*one) for one in changed]
    )
    assert next_root(GENESIS, "S", leaves) != next_root(GENESIS, "T", leaves)
