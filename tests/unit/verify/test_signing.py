from pathlib import Path

import pytest

from infrastructure.history.verify.heads import format_note, parse_notes
from infrastructure.history.verify.signing import (
    create_key,
    is_signed,
    load_key,
    parse_public_key,
    parse_signature,
    public_text,
    sign_head,
)
from infrastructure.ingestor.ledger import Head
from nervous_system.errors import ConfigError

HEAD = Head("ENCHANTED_SWARM", 7, b"\x05" * 32)


def test_a_signed_head_is_recognised_by_the_public_key_alone(tmp_path: Path) -> None:
    key = create_key(tmp_path / "ledger.key")
    public = parse_public_key(public_text(key))
    assert is_signed(public, HEAD, parse_signature(sign_head(key, HEAD)))


def test_a_signature_holds_for_no_other_head(tmp_path: Path) -> None:
    key = create_key(tmp_path / "ledger.key")
    signature = parse_signature(sign_head(key, HEAD))
    for other in (Head("OTHER", 7, HEAD.root), Head(HEAD.stream, 8, HEAD.root), Head("S", 7)):
        assert not is_signed(key.public_key(), other, signature)


def test_a_key_is_kept_for_the_owner_only_and_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "ledger.key"
    key = create_key(path)
    loaded = load_key(path)
    assert loaded is not None
    assert public_text(loaded) == public_text(key)
    assert path.stat().st_mode & 0o077 == 0
    with pytest.raises(FileExistsError):
        create_key(path)


def test_no_key_file_means_no_key(tmp_path: Path) -> None:
    assert load_key(tmp_path / "ledger.key") is None


def test_a_file_with_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ledger.key").write_text("hello")
    with pytest.raises(ConfigError):
        load_key(tmp_path / "ledger.key")


@pytest.mark.parametrize("text", ["", "hello", "AAAA"])
def test_what_is_no_public_key_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_public_key(text)


def test_notes_are_read_with_and_without_signature_and_know_their_predecessor() -> None:
    later = Head(HEAD.stream, 9, b"\x06" * 32)
    notes = [format_note(HEAD), b"no head", format_note(later, "c2ln")]
    found = parse_notes(notes, "X")
    assert [(one.head, one.signature, one.before) for one in found] == [
        (HEAD, b"", None),
        (later, b"sig", HEAD),
    ]
