import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from nervous_system.config import use_configured_patterns
from nervous_system.errors import ConfigError
from nervous_system.home import Home
from nervous_system.telemetry.own_patterns import parse_patterns
from nervous_system.telemetry.redaction import is_suspect, redact, redact_line
from nervous_system.telemetry.secret_finding import use_own_patterns


@pytest.fixture(autouse=True)
def only_known_kinds() -> Iterator[None]:
    yield
    use_own_patterns({})


def write(path: Path, patterns: object) -> Path:
    path.write_text(json.dumps({"patterns": patterns}), encoding="utf-8")
    return path


def test_a_pattern_of_the_home_is_looked_for(tmp_path: Path) -> None:
    write(Home(tmp_path).own_patterns_file, {"customer": "KD-[0-9]{4}"})
    use_configured_patterns({}, Home(tmp_path))
    counts: dict[str, int] = {}
    assert redact("KD-1234 and KD-99", counts) == "[redacted:customer] and KD-99"
    assert counts == {"customer": 1}
    assert is_suspect("KD-1234")


def test_a_named_file_stands_before_that_of_the_home(tmp_path: Path) -> None:
    write(Home(tmp_path).own_patterns_file, {"one": "one"})
    named = write(tmp_path / "named.json", {"two": r"badge (?P<secret>\w+)"})
    use_configured_patterns({"SWARM_REDACT_PATTERNS": str(named)}, Home(tmp_path))
    assert redact_line(b"one badge \xff7 badge x7", {}) == b"one badge \xff7 badge [redacted:two]"


def test_a_home_without_patterns_ends_those_of_another(tmp_path: Path) -> None:
    write(Home(tmp_path).own_patterns_file, {"one": "one"})
    use_configured_patterns({}, Home(tmp_path))
    use_configured_patterns({}, Home(tmp_path / "other"))
    assert redact("one", {}) == "one"


def test_a_pattern_that_reaches_out_of_its_text_leaves_json_behind() -> None:
    use_own_patterns(parse_patterns('{"patterns": {"tail": "x.*"}}', "f"))
    cleaned = redact_line(b'{"a": "1 x 2", "b": "3"}', {})
    assert json.loads(cleaned) == {"a": "1 [redacted:tail]", "b": "3"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "Expecting"),
        ("[]", "not an object"),
        ('{"patterns": {"a": "("}}', "the pattern of a"),
        ('{"patterns": {"a": ".*"}}', "fits the empty text"),
        ('{"patterns": {"A b": "x"}}', "no name of a kind"),
        ('{"patterns": {"a": 1}}', "no text"),
    ],
)
def test_what_is_no_pattern_is_refused_by_name(text: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        parse_patterns(text, "redaction.json")


def test_a_named_file_that_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="SWARM_REDACT_PATTERNS"):
        use_configured_patterns({"SWARM_REDACT_PATTERNS": "nowhere.json"}, Home(tmp_path))
