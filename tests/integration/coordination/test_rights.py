"""On a shared bus an agent is who its credentials say, whatever it calls itself."""

from pathlib import Path

import pytest

from cortex.coordination.project import Project, open_project
from nervous_system.errors import PublishRejectedError
from tests.support.eventually import eventually
from tests.support.servers import NatsServer
from tests.support.sharing import Team, team_at

USERS = {"agent": ["*"], "team-a": ["alice"], "team-b": ["bob"]}


@pytest.fixture
def bound_server(nats_server_with_users: NatsServer) -> NatsServer:
    """A server with a user for each of two agents."""
    server = nats_server_with_users
    server.passwords |= {"team-a": "a", "team-b": "b"}
    server.agents = USERS
    server.stop()
    server.start()
    return server


async def test_agents_with_rights_of_their_own_can_do_all_of_it(
    bound_server: NatsServer, tmp_path: Path
) -> None:
    async with team_at(bound_server, tmp_path / "home") as team:
        alice = await team.join("alice", bound_server.url_of("team-a"))
        bob = await team.join("bob", bound_server.url_of("team-b"))
        await alice.claim("s")
        await alice.complete("s", note="done")
        await bob.wait_for("s", timeout=10)
        await alice.send("bob", "done")
        assert [one.message.sender for one in await bob.inbox(new=True)] == ["alice"]
        await bob.memory.set("k", 1)
        (tmp_path / "f").write_bytes(b"x" * 100_000)
        await alice.artifact.upload(tmp_path / "f")
        await bob.artifact.download("f", tmp_path / "out")
        found = await eventually(lambda: _everybody(bob))
        assert found == ["alice", "bob"]


@pytest.mark.parametrize("action", ["claim", "send", "set", "read", "complete"])
async def test_an_agent_cannot_act_as_another(
    bound_server: NatsServer, tmp_path: Path, action: str
) -> None:
    """Mallory has Alice's credentials and says that it is Bob."""
    async with team_at(bound_server, tmp_path / "home") as team:
        bob = await team.join("bob", bound_server.url_of("team-b"))
        claimed = await bob.claim("held")
        await bob.send("bob", "to myself")
        async with _as(team, "bob", bound_server.url_of("team-a")) as mallory:
            acts = {
                "claim": lambda: mallory.claim("free"),
                "send": lambda: mallory.send("bob", "it is me", hold=True),
                "set": lambda: mallory.memory.set("k", 1),
                "read": lambda: mallory.inbox(new=True),
                "complete": lambda: mallory.complete("held", token=claimed.token),
            }
            with pytest.raises(PublishRejectedError, match="permissions violation"):
                await acts[action]()
        assert (await bob.step_status("held")).agent == "bob"
        assert len(await bob.inbox(new=True)) == 1


def _as(team: Team, agent: str, url: str):  # type: ignore[no-untyped-def] # a context manager
    return open_project(config=team.config(agent, url), is_present=False)


async def _everybody(project: Project) -> list[str]:
    found = [one.agent for one in await project.agents()]
    return found if len(found) == 2 else []
