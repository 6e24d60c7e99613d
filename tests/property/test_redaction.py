import json

from hypothesis import given
from hypothesis import strategies as st

from nervous_system.telemetry.redaction import is_suspect, redact, redact_document
from nervous_system.telemetry.secret_kinds import SECRET_KINDS, SecretKind

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
        ],
    ]
)


def fits(kind: SecretKind, text: str) -> bool:
    if kind.literals and not any(literal in text for literal in kind.literals):
        return False
    return any(not kind.is_secret or kind.is_secret(one) for one in kind.pattern.finditer(text))


@given(st.lists(pieces, max_size=8).map("".join))
def test_no_kind_of_secret_is_in_text_that_is_not_suspect(text: str) -> None:
    assert is_suspect(text) or not [kind.name for kind in SECRET_KINDS if fits(kind, text)]
