"""Values and artifacts that agents share, on a real bus."""

import asyncio
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from cortex.coordination.artifacts import PIECE_BYTES
from cortex.coordination.errors import (
    ArtifactDamagedError,
    ArtifactMissingError,
    RevisionChangedError,
    ValueMissingError,
    ValueRefusedError,
)
from nervous_system.comms.objects import BusContentStore
from tests.support.sharing import Team


@pytest.mark.parametrize(
    "value", ["text", "", "8080", 8080, 1.5, None, True, [], {"a": ["é", {}]}, "\x00\x1b[31m"]
)
async def test_a_value_comes_back_as_it_was_given(team: Team, value: Any) -> None:
    one, other = await team.join("a"), await team.join("b")
    await one.memory.set("k.x", value)
    found = await other.memory.get("k.x")
    assert (found.value, type(found.value), found.agent) == (value, type(value), "a")


async def test_a_value_may_have_a_mebibyte_and_no_more(team: Team) -> None:
    one = await team.join("a")
    await one.memory.set("k", "x" * 1024 * 1024)
    assert len((await one.memory.get("k")).text) == 1024 * 1024
    with pytest.raises(ValueRefusedError, match="artifact upload"):
        await one.memory.set("k", "é" * 1024 * 1024)


async def test_secrets_in_a_value_are_taken_out_and_it_stays_json(team: Team) -> None:
    one = await team.join("a")
    stored = await one.memory.set("k", {"password": "hunter2hunter2", "port": 1})
    found = await one.memory.get("k")
    assert found.value == {"password": "[redacted:named_value]", "port": 1}
    assert stored.redacted == found.redacted == 1


async def test_of_many_conditional_changes_one_succeeds(team: Team) -> None:
    agents = [await team.join(f"a{number}") for number in range(5)]
    first = await agents[0].memory.set("n", 0)
    results = await asyncio.gather(
        *(one.memory.set("n", one.agent_id, if_revision=first.revision) for one in agents),
        return_exceptions=True,
    )
    assert sum(isinstance(one, RevisionChangedError) for one in results) == len(agents) - 1


async def test_counting_with_conditions_counts_right(team: Team) -> None:
    """What nobody can do without: read, add one, try again if somebody was faster."""
    agents = [await team.join(f"a{number}") for number in range(4)]

    async def add_ten(agent: Any) -> None:
        for _ in range(10):
            while True:
                found = await agent.memory._find("n")
                try:
                    await agent.memory.set("n", (found.value or 0) + 1, if_revision=found.revision)
                    break
                except RevisionChangedError:
                    continue

    await asyncio.gather(*map(add_ten, agents))
    assert (await agents[0].memory.get("n")).value == 40


async def test_without_a_condition_the_last_writer_wins_and_all_are_kept(team: Team) -> None:
    agents = [await team.join(f"a{number}") for number in range(6)]
    await asyncio.gather(*(one.memory.set("k", one.agent_id) for one in agents))
    history = await agents[0].memory.history("k")
    assert sorted(one.value for one in history) == [one.agent_id for one in agents]
    assert (await agents[0].memory.get("k")).value == history[-1].value


async def test_deleted_is_missing_listed_no_more_and_in_its_history(team: Team) -> None:
    one = await team.join("a")
    await one.memory.set("k", "v")
    await one.memory.delete("k")
    with pytest.raises(ValueMissingError):
        await one.memory.get("k")
    with pytest.raises(ValueMissingError):
        await one.memory.delete("k")
    assert await one.memory.list() == []
    assert [kept.format for kept in await one.memory.history("k")] == ["text", "deleted"]
    assert (await one.memory.set("k", "w", if_revision=0)).exists


async def test_a_path_lists_what_lies_below_it(team: Team) -> None:
    one = await team.join("a")
    for key in ("db.port", "db.host", "dbx", "db"):
        await one.memory.set(key, key)
    assert [kept.key for kept in await one.memory.list("db")] == ["db", "db.host", "db.port"]
    assert len(await one.memory.list()) == 4


async def test_watching_sees_changes_below_a_path(team: Team) -> None:
    one, other = await team.join("a"), await team.join("b")
    async with aclosing(other.memory.watch("db")) as changes:
        coming = asyncio.create_task(anext(changes))
        while not coming.done():  # from when on it watches, nobody is told
            await one.memory.set("other", 1)
            await one.memory.set("db.port", 5432)
            await asyncio.wait({coming}, timeout=0.05)
        assert (coming.result().key, coming.result().value) == ("db.port", 5432)


@pytest.mark.parametrize("size", [0, 1, PIECE_BYTES, 2 * PIECE_BYTES + 7])
async def test_an_artifact_comes_back_byte_for_byte(team: Team, tmp_path: Path, size: int) -> None:
    one, other = await team.join("a"), await team.join("b")
    source, target = tmp_path / "in.bin", tmp_path / "out.bin"
    source.write_bytes(bytes(range(256)) * (size // 256) + b"z" * (size % 256))
    stored = await one.artifact.upload(source, step="Build.One")
    await other.artifact.download("in.bin", target)
    assert target.read_bytes() == source.read_bytes()
    assert (stored.size_bytes, stored.version, stored.step) == (size, 1, "build-one")
    assert list(tmp_path.glob(".*")) == []  # noqa: ASYNC240


async def test_uploads_at_the_same_time_get_versions_of_their_own(
    team: Team, tmp_path: Path
) -> None:
    agents = [await team.join(f"a{number}") for number in range(4)]
    for agent in agents:
        (tmp_path / agent.agent_id).write_text(agent.agent_id)
    await asyncio.gather(
        *(one.artifact.upload(tmp_path / one.agent_id, name="report") for one in agents)
    )
    found = await agents[0].artifact.list(name="report")
    assert [one.version for one in found] == [1, 2, 3, 4]
    for version in found:
        target = tmp_path / f"v{version.version}"
        await agents[0].artifact.download("report", target, version=version.version)
        assert target.read_text() == version.agent


async def test_artifacts_are_listed_by_step(team: Team, tmp_path: Path) -> None:
    one = await team.join("a")
    (tmp_path / "f").write_text("f")
    await one.artifact.upload(tmp_path / "f", name="of step", step="s")
    await one.artifact.upload(tmp_path / "f", name="shared")
    assert [found.name for found in await one.artifact.list(step="S")] == ["of step"]
    assert [found.name for found in await one.artifact.list(step="")] == ["shared"]


async def test_a_damaged_artifact_leaves_no_file_behind(
    team: Team, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = await team.join("a")
    (tmp_path / "f").write_bytes(b"content")
    await one.artifact.upload(tmp_path / "f")

    async def other(self: object, digest: str) -> bytes:
        return b"another"

    monkeypatch.setattr(BusContentStore, "get", other)
    with pytest.raises(ArtifactDamagedError):
        await one.artifact.download("f", tmp_path / "out")
    assert list(tmp_path.glob(".*")) + list(tmp_path.glob("out")) == []  # noqa: ASYNC240


async def test_a_file_that_is_there_is_not_overwritten_unless_asked(
    team: Team, tmp_path: Path
) -> None:
    one = await team.join("a")
    (tmp_path / "f").write_text("new")
    await one.artifact.upload(tmp_path / "f")
    (tmp_path / "out").write_text("old")
    with pytest.raises(FileExistsError):
        await one.artifact.download("f", tmp_path / "out")
    assert (tmp_path / "out").read_text() == "old"
    await one.artifact.download("f", tmp_path / "out", replace=True)
    assert (tmp_path / "out").read_text() == "new"


async def test_an_artifact_that_nobody_stored_is_missing(team: Team, tmp_path: Path) -> None:
    one = await team.join("a")
    with pytest.raises(ArtifactMissingError, match="artifact list"):
        await one.artifact.download("nothing", tmp_path / "out")
