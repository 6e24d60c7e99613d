"""Files that an agent reads and changes: every call and every change is on the bus."""

import os
import stat
from hashlib import sha256
from pathlib import Path

import pytest

from cortex.errors import ToolFailedError, ToolRefusedError
from tests.support.workbench import WORKSPACE, Workbench


def hex_of(content: bytes) -> str:
    return sha256(content).hexdigest()


async def test_write_is_a_call_and_then_the_change_that_it_caused(bench: Workbench) -> None:
    """The change names the call, its workspace, its content; the content is on the bus."""
    await bench.files.write("src/a.py", "one\n")
    call, change = await bench.events()
    assert (bench.root / "src/a.py").read_bytes() == b"one\n"
    assert (call.tool_call.tool_name, call.tool_call.tool_outcome) == ("write_file", "ok")
    assert call.tool_call.tool_duration_us > 0
    assert list(change.caused_by) == [call.event_id]
    assert change.workspace_id == WORKSPACE
    assert change.state_change.target_resource == "src/a.py"
    assert change.state_change.previous_state_hash == ""
    assert change.state_change.mode == 0o644
    assert await bench.swarm.content.get(change.state_change.new_state_hash) == b"one\n"
    assert bench.recorder.event_ids == (call.event_id, change.event_id)
    assert call.trace_id == change.trace_id != ""


async def test_changes_of_one_file_link_to_each_other(bench: Workbench) -> None:
    """Write, edit, mode and deletion follow each other's hashes."""
    files = bench.files
    await files.write("a", "one\n")
    await files.edit("a", "one", "two")
    await files.set_executable("a")
    await files.delete("a")
    changes = await bench.changes()
    one, two = hex_of(b"one\n"), hex_of(b"two\n")
    assert [(c.previous_state_hash, c.new_state_hash) for c in changes] == [
        ("", one),
        (one, two),
        (two, two),
        (two, ""),
    ]
    assert [c.mode for c in changes] == [0o644, 0o644, 0o755, 0]
    assert not (bench.root / "a").exists()


async def test_move_is_one_change_that_knows_the_former_name(bench: Workbench) -> None:
    """The new name says where it comes from; the empty directory is gone."""
    await bench.files.write("old/a", "text\n")
    await bench.files.move("old/a", "new/b")
    change = (await bench.changes())[-1]
    assert (change.target_resource, change.renamed_from) == ("new/b", "old/a")
    assert change.previous_state_hash == change.new_state_hash == hex_of(b"text\n")
    assert sorted(bench.workspace.manifest) == [b"new/b"]
    assert not (bench.root / "old").exists()


async def test_change_from_outside_is_told_before_the_tools_own(bench: Workbench) -> None:
    """The chain of the file has no break, and says which link is not ours."""
    await bench.files.write("a", "one\n")
    (bench.root / "a").write_text("meddled\n")
    await bench.files.write("a", "two\n")
    events = [one for one in await bench.events() if one.HasField("state_change")]
    assert [dict(one.attributes) for one in events] == [{}, {"origin": "outside"}, {}]
    hashes = [one.state_change.new_state_hash for one in events]
    assert [one.state_change.previous_state_hash for one in events] == ["", *hashes[:-1]]
    assert list(events[1].caused_by) == []


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../x", "a/../../x", "", ".git/config", "a//b", "./a", "a\0b", ".GIT/x"]
)
async def test_name_that_leads_elsewhere_is_refused_and_told(bench: Workbench, path: str) -> None:
    """Nothing is touched; the refusal is an event."""
    with pytest.raises(ToolRefusedError):
        await bench.files.write(path, "x")
    (call,) = await bench.calls()
    assert call.tool_outcome == "refused"
    assert "ToolRefusedError" in call.tool_result
    assert os.listdir(bench.root) == []


async def test_missing_file_is_a_failed_call(bench: Workbench) -> None:
    """One line says which file and why."""
    with pytest.raises(ToolFailedError, match=r"read_file failed: a/b: No such file or directory"):
        await bench.files.read("a/b")
    assert (await bench.calls())[0].tool_outcome == "failed"


async def test_content_of_any_kind_comes_back_as_it_is(bench: Workbench) -> None:
    """Empty, binary and not UTF-8 in content and name."""
    contents = {b"empty": b"", b"binary": bytes(range(256)), b"n\xff/a\xfe": b"\xff\xfe\x00"}
    for path, content in contents.items():
        await bench.files.write(path, content)
        assert await bench.files.read(path) == content
    changes = await bench.changes()
    assert changes[-1].resource_bytes == b"n\xff/a\xfe"
    assert sorted(bench.workspace.manifest) == sorted(contents)


async def test_secret_in_an_argument_stays_out_of_the_event(bench: Workbench) -> None:
    """The file gets it, the event does not."""
    secret = "npm" + "_" + "a1B2" * 9
    await bench.files.write("a", "token: x")
    await bench.files.edit("a", "x", secret)
    event = [one for one in await bench.events() if one.HasField("tool_call")][-1]
    assert secret.encode() not in event.SerializeToString()
    assert event.redactions
    assert secret in (bench.root / "a").read_text()


async def test_symbolic_link_is_deleted_and_moved_but_never_followed(
    bench: Workbench, tmp_path: Path
) -> None:
    """What it points to stays as it is; the link is content of its own kind."""
    outside = tmp_path / "outside"
    outside.write_text("keep")
    (bench.root / "link").symlink_to(outside)
    with pytest.raises(ToolRefusedError, match="symbolic link"):
        await bench.files.write("link", "x")
    with pytest.raises(ToolRefusedError, match="symbolic link"):
        await bench.files.read("link")
    await bench.files.move("link", "moved")
    await bench.files.delete("moved")
    changes = await bench.changes()
    assert stat.S_ISLNK(changes[0].mode)
    assert changes[0].new_state_hash == hex_of(os.fsencode(outside))
    assert outside.read_text() == "keep"


async def test_huge_file_is_kept_whole(bench: Workbench) -> None:
    """100 MB are written, told, read and deleted."""
    content = os.urandom(1024) * 100 * 1000
    await bench.files.write("huge", content)
    assert await bench.files.read("huge") == content
    await bench.files.delete("huge")
    assert [c.size_bytes for c in await bench.changes()] == [len(content), 0]


async def test_listing_shows_names_kinds_and_no_git(bench: Workbench) -> None:
    """Links are shown as what they are."""
    (bench.root / ".git").mkdir()
    (bench.root / "d").mkdir()
    (bench.root / "l").symlink_to("nowhere")
    (bench.root / "f").write_text("abc")
    listed = await bench.files.list()
    assert [(one.path, one.kind) for one in listed] == [
        (b"d", "directory"),
        (b"f", "file"),
        (b"l", "symbolic link"),
    ]


async def test_long_argument_is_cut_and_the_call_told(bench: Workbench) -> None:
    """What would not fit the bus is in the file's content, not in the event."""
    await bench.files.write("a", "x")
    await bench.files.edit("a", "x", "y" * 10_000_000)
    call = (await bench.calls())[-1]
    assert len(call.tool_arguments) < 10_000
    assert "characters left out" in call.tool_arguments
    assert (await bench.changes())[-1].size_bytes == 10_000_000
