"""A small swarm whose work was recorded on a stack: everything that the dashboard shows, once."""

import json
import urllib.request
from dataclasses import dataclass, field

import nats

import nervous_system as ns
from nervous_system import events
from tests.support.recorded import Files, Recorded
from tests.support.stacks import Stack

RUN, MANY, WORKSPACE = "run-recorded", "run-many", "recorded"
MANY_EVENTS = 250
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
HOSTILE = (
    "<script>alert(1)</script>\x1b[31mred\x1b[0m \u202egnp.exe \u200bzero\u2066isolate \x07 "
    + "x" * 1_000_000
)
BASE: Files = {
    b"kept.txt": (b"from the start\n", 0o644),
    b"src/app.py": (b"one\ntwo\nthree\n", 0o644),
}
BINARY = bytes(range(256)) * 16


@dataclass(slots=True)
class RecordedSwarm:
    """What was recorded: event ids by name."""

    names: dict[str, str] = field(default_factory=dict)


async def record_swarm(stack: Stack) -> RecordedSwarm:
    """Record a run with a plan, a change, a failure and a break, another of many events, and what
    is no event at all."""
    told = RecordedSwarm()
    async with ns.connect(home=stack.root) as swarm:
        await _record_run(swarm, told.names)
        await _record_many(swarm)
    await _publish_garbage(stack)
    _send_span(stack)
    return told


async def _record_run(swarm: ns.Swarm, names: dict[str, str]) -> None:
    async with swarm.agent("architect-1", role="architect", run_id=RUN) as architect:
        document = {"task": "Say it loud", "model": "offline", "branch": "swarm/x"}
        await architect.emit(events.run_transition(state="RUNNING", document=document), wait=True)
        for task_id, needed in (("plan", []), ("code", ["plan"])):
            created = {"task_id": task_id, "title": task_id.title(), "depends_on": needed}
            payload = events.task_transition(
                task_id, state="READY", trigger="create", document=created
            )
            await architect.emit(payload, wait=True)
        handed = {"unresolved": ["line 3: no safe fix", 4]}
        given = events.task_transition("code", state="REVIEW", trigger="hand_in", document=handed)
        await architect.emit(given, wait=True)
        done = events.task_transition("plan", state="DONE", trigger="complete", document={"a": 1})
        await architect.emit(done, wait=True)
        await architect.emit(
            events.model_call("offline", input_tokens=7, output_tokens=3, cost_microusd=11)
        )
        await architect.signal("CRITICAL_FAILURE", detail="out of ideas", wait=True)
    async with swarm.agent("coder-1", role="coder", run_id=RUN, workspace_id=WORKSPACE) as coder:
        work = Recorded(coder, WORKSPACE, dict(BASE))
        names["start"] = await work.begin(swarm.content)
        decided = await coder.decide(
            rationale="say it in capitals",
            rejected_alternatives=["leave it"],
            memory_ids=["m-7"],
            parent={"traceparent": f"00-{TRACE}-{SPAN}-01"},
            wait=True,
        )
        names["decision"] = decided.event_id
        names["edit"] = await work.write(
            b"src/app.py", b"one\nTWO\nthree\n", caused_by=(decided.event_id,)
        )
        names["binary"] = await work.write(b"data/blob.bin", BINARY)
        names["odd"] = await work.write(b"od\xff.txt", b"odd\n")
        work.files[b"kept.txt"] = (b"changed by hand\n", 0o644)
        names["after_break"] = await work.write(b"kept.txt", b"changed by hand\nand more\n")
        hostile = await coder.decide(rationale=HOSTILE, wait=True)
        names["hostile"] = hostile.event_id


async def _record_many(swarm: ns.Swarm) -> None:
    async with swarm.agent("coder-2", role="coder", run_id=MANY) as agent:
        for number in range(MANY_EVENTS):
            await agent.signal("HEALTHY", detail=f"number {number}")


async def _publish_garbage(stack: Stack) -> None:
    client = await nats.connect(stack.record["nats_url"])
    try:
        await client.jetstream().publish("swarm.events.coder.decision", b"\xff\xff no event")
    finally:
        await client.close()


def _send_span(stack: Stack) -> None:
    span = {
        "traceId": TRACE,
        "spanId": SPAN,
        "name": "edit",
        "kind": 1,
        "startTimeUnixNano": "1795192458746249208",
        "endTimeUnixNano": "1795192458746250208",
        "events": [{"name": "point", "timeUnixNano": "1795192458746249999"}],
    }
    body = {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}
    request = urllib.request.Request(
        f"{stack.record['otlp_url']}/v1/traces",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=20).close()
