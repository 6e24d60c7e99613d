import json
import re

from hypothesis import given
from hypothesis import strategies as st

from nervous_system.telemetry.redaction import is_suspect, redact, redact_document, redact_line
from nervous_system.telemetry.secret_finding import all_candidates, find_secrets

secrets = st.sampled_from(
    [
        "AKIA" + "IOSFODNN7EXAMPLE",
        "sk-" + "ant-api03-abcdefghij0123456789",
        "gh" + "p_" + "a1B2" * 9,
        "npm" + "_" + "a1B2" * 9,
        "postgres://bob:" + "s3cr3t@db",
        "password=" + "hunter2",
    ]
)
separators = st.sampled_from([" ", "\n", "\t", ", ", "; "])
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@given(words, separators, secrets, separators, words)
def test_secret_is_found_in_any_text(
    before: str, one: str, secret: str, two: str, after: str
) -> None:
    counts: dict[str, int] = {}
    cleaned = redact(before + one + secret + two + after, counts)
    assert secret not in cleaned
    assert sum(counts.values()) >= 1


@given(words, secrets, words)
def test_clean_text_stays_clean(before: str, secret: str, after: str) -> None:
    cleaned = redact(f"{before} {secret} {after}", {})
    again: dict[str, int] = {}
    assert redact(cleaned, again) == cleaned
    assert again == {}


documents = st.recursive(
    st.one_of(words, st.integers(), st.booleans(), st.none(), secrets),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(words, inner, max_size=3)),
    max_leaves=8,
)


@given(documents, words, secrets, words)
def test_a_document_stays_json_and_loses_its_secret(
    around: object, name: str, secret: str, word: str
) -> None:
    text = json.dumps({"around": around, name: [word, f"{word}\n{secret}"]})
    assert secret not in json.dumps(json.loads(redact_document(text, {})))


@given(words)
def test_text_that_is_not_suspect_is_never_changed(text: str) -> None:
    counts: dict[str, int] = {}
    cleaned = redact(text, counts)
    assert is_suspect(text) or (cleaned == text and not counts)


pieces = st.sampled_from(
    [
        *["--password ", "--api-key ", "x--secret ", "mysql -u root -p", "docker login -p "],
        *["curl -u bob:", "redis-cli -a ", "api key", "token", "secret", "Bearer ", "Cookie: "],
        *[
            "hunter2222",
            "aB3dE5fG7h",
            "://",
            "@",
            "a=",
            ": ",
            "=",
            " ",
            "\n",
            '"',
            "-",
            "(",
            "word",
            "\\",
            "'",
            "@",
            "/",
            ";",
            "hunter\\n",
        ],
    ]
)


@given(st.lists(pieces, max_size=8).map("".join))
def test_no_kind_of_secret_is_in_text_that_is_not_suspect(text: str) -> None:
    assert is_suspect(text) or not list(all_candidates(text.encode()))


anything = st.binary(max_size=40)


@given(anything, separators, secrets, separators, anything)
def test_no_planted_secret_stays_in_any_bytes(
    before: bytes, one: str, secret: str, two: str, after: bytes
) -> None:
    line = before + f"{one}{secret}{two}".encode() + after
    cleaned = redact_line(line, {})
    assert secret.encode() not in cleaned


@given(documents, words, secrets, words, st.integers(0, 3))
def test_a_line_of_json_stays_json_at_any_depth(
    around: object, name: str, secret: str, word: str, depth: int
) -> None:
    value: object = {"around": around, name: [word, f"{word}\n{secret}"]}
    for _ in range(depth):
        value = {"inner": json.dumps(value), "word": word}
    for is_ascii in (True, False):
        line = json.dumps(value, ensure_ascii=is_ascii).encode()
        counts: dict[str, int] = {}
        cleaned = redact_line(line, counts)
        json.loads(cleaned)
        assert secret.encode() not in cleaned
        assert counts


@given(st.lists(pieces, max_size=12).map("".join))
def test_any_json_of_suspicious_pieces_stays_json(text: str) -> None:
    for value in (text, {"a": text}, {text: [text]}, json.dumps([text])):
        json.loads(redact_line(json.dumps(value).encode(), {}))


@given(anything, secrets, anything)
def test_bytes_outside_of_what_is_found_stay(before: bytes, secret: str, after: bytes) -> None:
    line = before + b" " + secret.encode() + b" " + after
    end = 0
    for found in find_secrets(line):
        assert end <= found.start < found.end <= len(line)
        end = found.end
    cleaned = redact_line(line, {})
    pieces_left = re.split(rb"\[redacted:[a-z_]+\]", cleaned)
    at = 0
    for piece in pieces_left:
        at = line.index(piece, at) + len(piece)
