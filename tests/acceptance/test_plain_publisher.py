"""Programs that know nothing of ours but the frozen part of the contract.

Their classes are compiled from the text below, which is the contract's section of the design word
for word and never follows the schema in `proto/`; they publish with plain nats-py.
"""

import asyncio
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import Any

import nats
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from nats.aio.client import Client

from tests.support.stacks import Stack, running_stack

FROZEN = """
syntax = "proto3";
package enchanted.events.v1;
import "google/protobuf/timestamp.proto";
enum AgentRole {
  ROLE_UNSPECIFIED = 0; ROLE_ARCHITECT = 1; ROLE_CODER = 2; ROLE_REVIEWER = 3; ROLE_OPERATOR = 4;
}
enum EventType { TYPE_UNSPECIFIED = 0; TYPE_DECISION = 1; TYPE_STATE_CHANGE = 2; TYPE_SYSTEM = 3; }
message SwarmEvent {
  string event_id = 1;
  google.protobuf.Timestamp timestamp = 2;
  string trace_id = 3;
  string span_id = 4;
  AgentRole agent_role = 5;
  string agent_id = 6;
  oneof payload {
    AgentDecision decision = 10;
    StateChange state_change = 11;
    SystemSignal system_signal = 12;
  }
}
message AgentDecision {
  string context_hash = 1;
  string input_trigger = 2;
  string rationale = 3;
  repeated string rejected_alternatives = 4;
  repeated string memory_ids = 5;
  float confidence_score = 6;
}
message StateChange {
  string target_type = 1;
  string target_resource = 2;
  string previous_state_hash = 3;
  string new_state_hash = 4;
  string diff_patch = 5;
  bool is_reversible = 6;
}
message SystemSignal {
  string status = 1;
  int32 cpu_load_percent = 2;
  int32 memory_usage_mb = 3;
}
"""
DECISION = "swarm.events.architect.decision"
SECONDS_2026 = 1_767_323_045


@pytest.fixture(scope="module")
def frozen_event(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The class SwarmEvent as somebody has generated it who has only the frozen schema."""
    folder = tmp_path_factory.mktemp("frozen")
    (folder / "frozen.proto").write_text(FROZEN, encoding="utf-8")
    subprocess.run(
        [
            *(sys.executable, "-m", "grpc_tools.protoc"),
            *("-I", str(folder), f"-I{files('grpc_tools') / '_proto'}"),
            *("--include_imports", f"--descriptor_set_out={folder}/set", "frozen.proto"),
        ],
        check=True,
    )
    pool = descriptor_pool.DescriptorPool()
    compiled = descriptor_pb2.FileDescriptorSet.FromString((folder / "set").read_bytes())
    for file in compiled.file:
        pool.Add(file)
    return message_factory.GetMessageClass(
        pool.FindMessageTypeByName("enchanted.events.v1.SwarmEvent")
    )


@pytest.fixture(scope="module")
def plain_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One stack for all of this file, with an agent user that is bound to one agent."""
    root = tmp_path_factory.mktemp("plain") / "home"
    root.mkdir(mode=0o700)
    (root / "swarm.json").write_text('{"agents": {"team": ["coder-1"]}}', encoding="utf-8")
    with running_stack(root) as stack:
        yield stack


class Connection:
    """A plain nats-py client, and what the server refused to it."""

    def __init__(self) -> None:
        self.refusals: list[str] = []
        self.client = Client()

    async def note(self, error: Exception) -> None:
        self.refusals.append(str(error))

    async def publish(self, subject: str, event: Any) -> int:
        """Publish and return the sequence that the server acknowledged."""
        ack = await self.client.jetstream().publish(subject, event.SerializeToString())
        return ack.seq

    async def is_refused(self, subject: str, event: Any) -> bool:
        """Publish and return whether the server said that this user may not."""
        before = len(self.refusals)
        await self.client.publish(subject, event.SerializeToString())
        await self.client.flush()
        await self.client.flush()  # the refusal stands before the second answer
        return len(self.refusals) > before


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Connection]:
    connection = Connection()
    await connection.client.connect(url, error_cb=connection.note)
    try:
        yield connection
    finally:
        await connection.client.close()


def decision(cls: Any, agent_id: str = "architect-7", **fields: Any) -> Any:
    """A decision of the frozen class with every frozen field set."""
    event = cls(
        event_id=str(uuid.uuid4()),
        trace_id="0af7651916cd43dd8448eb211c80319c",
        span_id="b7ad6b7169203331",
        agent_role=1,
        agent_id=agent_id,
        decision={
            "context_hash": "c" * 64,
            "input_trigger": "issue 7",
            "rationale": "keep the old format",
            "rejected_alternatives": ["a new one", "none"],
            "memory_ids": ["m1", "m2"],
            "confidence_score": 0.5,
        },
        **fields,
    )
    event.timestamp.seconds, event.timestamp.nanos = SECONDS_2026, 123_456_789
    return event


def row_of(stack: Stack, event: Any, columns: str) -> dict[str, Any]:
    """The one row of an event."""
    [row] = stack.sql(f"select {columns} from swarm.events where event_id = '{event.event_id}'")
    return row


async def test_frozen_class_knows_none_of_the_newer_fields(frozen_event: Any) -> None:
    """Otherwise this file would prove nothing."""
    numbers = {field.number for field in frozen_event.DESCRIPTOR.fields}
    assert numbers == {1, 2, 3, 4, 5, 6, 10, 11, 12}


async def test_every_frozen_field_of_a_decision_is_queryable(
    plain_stack: Stack, frozen_event: Any
) -> None:
    """Through `js.publish` on the subject that the design names."""
    event = decision(frozen_event)
    async with connected(plain_stack.record["publisher_nats_url"]) as publisher:
        sequence = await publisher.publish(DECISION, event)
    columns = (
        "stream_seq, kind, subject, agent_role, agent_id, trace_id, span_id, "
        "toUnixTimestamp64Nano(event_time) as at, context_hash, input_trigger, rationale, "
        "rejected_alternatives, memory_ids, confidence_score, is_authenticated, run_id, emitter_id"
    )
    row = await asyncio.to_thread(row_of, plain_stack, event, columns)
    assert int(row.pop("stream_seq")) == sequence
    assert int(row.pop("at")) == SECONDS_2026 * 10**9 + 123_456_789
    assert row == {
        "kind": "decision",
        "subject": DECISION,
        "agent_role": "ARCHITECT",
        "agent_id": "architect-7",
        "trace_id": "0af7651916cd43dd8448eb211c80319c",
        "span_id": "b7ad6b7169203331",
        "context_hash": "c" * 64,
        "input_trigger": "issue 7",
        "rationale": "keep the old format",
        "rejected_alternatives": ["a new one", "none"],
        "memory_ids": ["m1", "m2"],
        "confidence_score": 0.5,
        "is_authenticated": False,
        "run_id": "",
        "emitter_id": "",
    }


async def test_frozen_state_changes_and_signals_are_queryable(
    plain_stack: Stack, frozen_event: Any
) -> None:
    """Each in the view of its kind."""
    change = decision(frozen_event)
    change.state_change.target_type, change.state_change.target_resource = "ENV_VAR", "PATH"
    change.state_change.new_state_hash = "d" * 64
    change.state_change.is_reversible = True
    signal = decision(frozen_event)
    signal.system_signal.status = "CRITICAL_FAILURE"
    signal.system_signal.cpu_load_percent = 99
    async with connected(plain_stack.record["publisher_nats_url"]) as publisher:
        await publisher.publish("swarm.events.architect.state_change", change)
        await publisher.publish("swarm.events.architect.system_signal", signal)
    changes = await asyncio.to_thread(
        plain_stack.sql,
        "select target_type, target_resource, new_state_hash, is_reversible "
        f"from swarm.state_changes where event_id = '{change.event_id}'",
    )
    assert changes == [
        {
            "target_type": "ENV_VAR",
            "target_resource": "PATH",
            "new_state_hash": "d" * 64,
            "is_reversible": True,
        }
    ]
    signals = await asyncio.to_thread(
        plain_stack.sql,
        f"select status, cpu_load_percent from swarm.signals where event_id = '{signal.event_id}'",
    )
    assert signals == [{"status": "CRITICAL_FAILURE", "cpu_load_percent": 99}]


async def test_raw_bytes_of_a_plain_publisher_are_kept_as_received(
    plain_stack: Stack, frozen_event: Any
) -> None:
    """And `verify` finds nothing wrong with them; that they are unnumbered is said."""
    event = decision(frozen_event)
    async with connected(plain_stack.record["publisher_nats_url"]) as publisher:
        await publisher.publish(DECISION, event)
    row = await asyncio.to_thread(row_of, plain_stack, event, "hex(raw) as raw")
    assert bytes.fromhex(row["raw"]) == event.SerializeToString()
    report = await asyncio.to_thread(plain_stack.json, "verify")
    assert report["ok"], report["problems"]
    assert "unnumbered" in {unproven["kind"] for unproven in report["unproven"]}


async def test_same_message_id_is_stored_once(plain_stack: Stack, frozen_event: Any) -> None:
    """Within the duplicate window, as docs/delivery.md says."""
    event = decision(frozen_event)
    headers = {"Nats-Msg-Id": event.event_id}
    async with connected(plain_stack.record["publisher_nats_url"]) as publisher:
        jetstream, payload = publisher.client.jetstream(), event.SerializeToString()
        first = await jetstream.publish(DECISION, payload, headers=headers)
        again = await jetstream.publish(DECISION, payload, headers=headers)
    assert (again.seq, again.duplicate) == (first.seq, True)
    row = await asyncio.to_thread(row_of, plain_stack, event, "count() as n")
    assert int(row["n"]) == 1


async def test_publisher_cannot_use_a_subject_with_an_agents_token(
    plain_stack: Stack, frozen_event: Any
) -> None:
    """Nor read, nor reach another stream; so nothing of it can look authenticated."""
    event = decision(frozen_event, "coder-1")
    forbidden = (
        "swarm.events.coder.decision.coder-1",
        "swarm.coordination.coder.claim.coder-1",
        "swarm.checkpoints.ENCHANTED_SWARM",
        "swarm.tasks.x",
        "$JS.API.STREAM.PURGE.ENCHANTED_SWARM",
        "$JS.API.DIRECT.GET.ENCHANTED_SWARM",
        "swarm.events",
    )
    async with connected(plain_stack.record["publisher_nats_url"]) as publisher:
        refused = {subject: await publisher.is_refused(subject, event) for subject in forbidden}
    assert refused == dict.fromkeys(forbidden, True)
    row = await asyncio.to_thread(row_of, plain_stack, event, "count() as n")
    assert int(row["n"]) == 0


async def test_bound_agent_user_cannot_publish_under_another_agents_token(
    plain_stack: Stack, frozen_event: Any
) -> None:
    """Its own is authenticated; on any other, and on none, the server refuses."""
    own, foreign = decision(frozen_event, "coder-1"), decision(frozen_event, "coder-2")
    async with connected(plain_stack.record["agent_nats_urls"]["team"]) as team:
        await team.publish("swarm.events.coder.decision.coder-1", own)
        refused = [
            await team.is_refused(subject, foreign)
            for subject in ("swarm.events.coder.decision.coder-2", DECISION)
        ]
    assert refused == [True, True]
    row = await asyncio.to_thread(row_of, plain_stack, own, "is_authenticated")
    assert row["is_authenticated"] is True
    row = await asyncio.to_thread(row_of, plain_stack, foreign, "count() as n")
    assert int(row["n"]) == 0


async def test_event_that_claims_another_agent_than_its_subject_is_not_authenticated(
    plain_stack: Stack, frozen_event: Any
) -> None:
    """It is kept, with the name that it claims, and flagged."""
    event = decision(frozen_event, "coder-2")
    async with connected(plain_stack.record["agent_nats_urls"]["team"]) as team:
        await team.publish("swarm.events.coder.decision.coder-1", event)
    row = await asyncio.to_thread(row_of, plain_stack, event, "agent_id, is_authenticated")
    assert row == {"agent_id": "coder-2", "is_authenticated": False}


async def test_wrong_password_gets_nothing(plain_stack: Stack) -> None:
    """The connection is refused, and the reason said."""
    url = plain_stack.record["publisher_nats_url"]
    user, _, rest = url.partition("@")
    client = Client()
    try:
        with pytest.raises(nats.errors.Error, match="Authorization Violation"):
            await client.connect(
                f"{user.rpartition(':')[0]}:wrong@{rest}",
                max_reconnect_attempts=0,
                allow_reconnect=False,
                error_cb=Connection().note,
            )
    finally:
        await client.close()
