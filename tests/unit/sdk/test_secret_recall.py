"""How many planted secrets are found, and how much of ordinary text is taken for one."""

import json
import os
import random
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from nervous_system.telemetry.redaction import redact, redact_line
from tests.support.secret_corpus import SECRETS_OF_A_KIND, planted, surroundings

ROOT = Path(__file__).parents[3]
LIBRARY = Path(os.__file__).parent
LEAST_KINDS = 20


def in_json(text: str) -> str:
    return json.dumps({"message": {"content": [{"type": "text", "text": text}]}})


def in_escaped_json(text: str) -> str:
    return in_json(text).replace("&", "\\u0026").replace("<", "\\u003c").replace("/", "\\/")


WRITTEN: dict[str, Callable[[str], str]] = {
    "as it is": lambda text: text,
    "in JSON": in_json,
    "in JSON in JSON": lambda text: json.dumps({"arguments": in_json(text)}),
    "in JSON with more escapes": in_escaped_json,
}


def parts_left(secret: str, cleaned: str) -> list[str]:
    """Return what of a secret is still there, whatever escapes are around it."""
    plain = re.sub(r"\\+u003c", "<", re.sub(r"\\+(?=/)", "", cleaned))
    pieces = [piece for piece in re.split(r"[\n/<&\"\\]", secret) if len(piece) >= 8]
    ordinary = {"services", "example"}
    return [piece for piece in pieces if piece in plain and piece not in ordinary]


@pytest.mark.parametrize("how", WRITTEN)
def test_every_planted_secret_is_taken_out_whole(how: str) -> None:
    left = []
    for kind, secret, text in planted():
        counts: dict[str, int] = {}
        cleaned = redact_line(WRITTEN[how](text).encode(), counts).decode()
        if parts_left(secret, cleaned) or not counts:
            left.append((kind, text, cleaned))
    assert left == []


def test_the_corpus_holds_enough_of_every_kind() -> None:
    counts = Counter(kind for kind, _, _ in planted())
    assert len(counts) >= LEAST_KINDS
    assert min(counts.values()) >= SECRETS_OF_A_KIND >= 20


def test_a_secret_is_counted_under_its_kind() -> None:
    wrong: Counter[str] = Counter()
    for kind, _, text in planted():
        counts: dict[str, int] = {}
        redact_line(text.encode(), counts)
        wrong[kind] += kind not in counts
    assert +wrong == Counter(assigned_secret=2)  # told as `option_secret`


@pytest.mark.parametrize("how", ["in JSON", "in JSON in JSON", "in JSON with more escapes"])
def test_a_line_of_json_stays_json_but_for_its_secrets(how: str) -> None:
    for _, _, text in planted():
        line = WRITTEN[how](text).encode()
        json.loads(redact_line(line, {}))


def test_bytes_around_a_secret_stay_also_where_they_are_no_text() -> None:
    dice = random.Random(3)
    for _, _, text in planted():
        noise = bytes(dice.randrange(128, 256) for _ in range(5))
        cleaned = redact_line(noise + b" " + text.encode() + b" " + noise, {})
        assert cleaned.startswith(noise + b" ")
        assert cleaned.endswith(b" " + noise)


@pytest.mark.parametrize("text", surroundings("ordinary"))
def test_text_that_only_speaks_of_secrets_stays(text: str) -> None:
    counts: dict[str, int] = {}
    redact(text, counts)
    redact_line(in_json(text).encode(), counts)
    assert counts == {}


def test_little_of_ordinary_code_is_taken_for_a_secret() -> None:
    counts: dict[str, int] = {}
    size = 0
    for path in sorted(LIBRARY.glob("*.py")) + sorted((LIBRARY / "email").glob("*.py")):
        source = path.read_bytes()
        size += len(source)
        redact_line(source, counts)
    assert size > 4_000_000
    assert sum(counts.values()) <= 4 * size / 1_000_000


def test_the_sources_of_this_repository_hold_next_to_none() -> None:
    counts: dict[str, int] = {}
    for part in ("nervous_system", "cortex", "infrastructure"):
        for path in (ROOT / part).rglob("*.py"):
            redact_line(path.read_bytes(), counts)
    assert set(counts) <= {"url_password", "assigned_secret"}  # addresses with example passwords
    assert sum(counts.values()) <= 12
