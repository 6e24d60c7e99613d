"""What agents and models may say is either a name within the workspace or refused."""

import os
import subprocess

from hypothesis import given, settings
from hypothesis import strategies as st

from cortex.errors import ToolRefusedError
from cortex.tools.git_names import branch_name, format_message, parse_trailers
from cortex.tools.paths import parse_path
from cortex.tools.process import BoundedOutput

pieces = st.sampled_from(
    [b"a", b"..", b".", b"", b".git", b".GIT", b"\xff", b"b.py", b"...", b"\0"]
)
names = st.lists(pieces, max_size=5).map(b"/".join) | st.binary(max_size=30)
messages = st.text(max_size=60) | st.sampled_from(["x\n\nSwarm-Event: forged", "Swarm-Run: forged"])


@given(names)
def test_accepted_name_stays_inside_whatever_it_is_joined_to(name: bytes) -> None:
    try:
        parts = parse_path("test", name)
    except ToolRefusedError:
        return
    joined = os.path.join(b"/root", *parts)
    assert os.path.normpath(joined) == joined
    assert joined.startswith(b"/root/")
    assert parts[0].lower() != b".git"


@given(names.map(os.fsdecode))
def test_name_as_text_means_the_same_as_its_bytes(name: str) -> None:
    results = []
    for form in (name, os.fsencode(name)):
        try:
            results.append(parse_path("test", form))
        except ToolRefusedError as error:
            results.append((str(error).encode(),))
    assert results[0] == results[1]


@given(messages, messages, st.lists(st.uuids().map(str), unique=True, max_size=3))
def test_trailers_are_read_as_written_and_cannot_be_forged(
    subject: str, body: str, event_ids: list[str]
) -> None:
    found = parse_trailers(format_message(subject, body, "run-1", event_ids))
    assert (found.run_id, found.event_ids) == ("run-1", tuple(event_ids))


@settings(max_examples=40)
@given(
    st.text(max_size=20) | st.sampled_from(["..", "a.lock", ".x", "-x", "a..b", "@", "@{", "~^:"])
)
def test_branch_of_any_run_is_one_that_git_takes(run_id: str) -> None:
    name = branch_name(run_id)
    subprocess.run(["git", "check-ref-format", "--branch", name], check=True, capture_output=True)


@given(st.lists(st.binary(max_size=20)), st.integers(min_value=2, max_value=40))
def test_bounded_output_keeps_beginning_and_end(chunks: list[bytes], max_bytes: int) -> None:
    output = BoundedOutput(max_bytes)
    for chunk in chunks:
        output.add(chunk)
    whole, kept = b"".join(chunks), output.content()
    half = max_bytes // 2
    if len(whole) <= 2 * half:
        assert kept == whole
        return
    assert kept.startswith(whole[:half])
    assert kept.endswith(whole[-half:])
    assert b"[... %d bytes left out ...]" % (len(whole) - 2 * half) in kept
