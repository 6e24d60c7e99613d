import { describe, expect, it } from "vitest";
import type { Agent } from "../services/trace_api.ts";
import type { SwarmEventView } from "../types/swarm_event.ts";
import { milliseconds } from "../types/units.ts";
import { LiveStore } from "./live_store.ts";

const NOW = 1_700_000_000_000;
const DECISION = { case: "decision", value: {} };

function arrival(seq: number, agentId = "coder-1") {
  const event = {
    id: `e${seq}`,
    stream: "S",
    seq,
    atMs: NOW,
    agentId,
    role: "CODER",
    runId: "r",
    spanId: "",
    kind: "decision",
    summary: "s",
    payload: DECISION,
  };
  return { event: event as unknown as SwarmEventView, storedMs: milliseconds(NOW) };
}

const known = (decisions: number) =>
  ({
    agent_id: "coder-1",
    role: "CODER",
    run_id: "r",
    status: "HEALTHY",
    events: decisions,
    decisions,
    changes: 0,
    failures: 0,
    first_seen: "",
    last_seen: "",
    cpu: [],
    memory: [],
    last_decision: null,
    current_span: null,
    error: null,
  }) as Agent;

const decisionsOf = (store: LiveStore) => store.snapshot().agents.get("coder-1")?.decisions;

describe("the live store", () => {
  it("counts once what both history and the stream tell, whichever comes first", () => {
    const historyFirst = new LiveStore(() => NOW);
    historyFirst.know([known(2)]);
    historyFirst.add([arrival(1), arrival(2)]);
    const streamFirst = new LiveStore(() => NOW);
    streamFirst.add([arrival(1), arrival(2)]);
    streamFirst.know([known(2)]);
    expect([decisionsOf(historyFirst), decisionsOf(streamFirst)]).toEqual([2, 2]);
  });

  it("forgets what a stream told that is another one now", () => {
    const store = new LiveStore(() => NOW);
    store.add([arrival(1)]);
    store.forget("S");
    expect(store.snapshot().events).toEqual([]);
    expect(store.snapshot().agents.size).toBe(0);
  });

  it("tells those who listen, until they no longer do", () => {
    const store = new LiveStore(() => NOW);
    let told = 0;
    const stop = store.subscribe(() => {
      told += 1;
    });
    store.add([arrival(1)]);
    stop();
    store.add([arrival(2)]);
    expect(told).toBe(1);
  });
});
