import { describe, expect, it } from "vitest";
import type { LiveSnapshot } from "../types/live.ts";
import type { SwarmEventView } from "../types/swarm_event.ts";
import { LiveGraph } from "./live_graph.ts";

function eventOf(seq: number, agentId = "a"): SwarmEventView {
  const common = { role: "CODER", kind: "decision", atMs: 0, isError: false, spanId: "" };
  const given = { ...common, id: `id-${seq}`, seq, agentId, causedBy: [], undecodableReason: "" };
  return given as unknown as SwarmEventView;
}

function snapshotOf(first: number, last: number, generation = 0): LiveSnapshot {
  const events = Array.from({ length: last - first }, (_, index) => eventOf(first + index));
  return { events, dropped: first, generation, agents: new Map(), rate: [] };
}

const everything = () => true;

describe("the graph of what happens now", () => {
  it("takes each event of growing snapshots once", () => {
    const live = new LiveGraph(everything);
    expect(live.take(snapshotOf(0, 3))).toBe(true);
    expect(live.take(snapshotOf(0, 3))).toBe(false);
    live.take(snapshotOf(2, 7));
    expect(live.graph.end).toBe(7);
  });

  it("goes on after events that were let go before it saw them", () => {
    const live = new LiveGraph(everything);
    live.take(snapshotOf(0, 2));
    live.take(snapshotOf(5, 8));
    expect(live.graph.end).toBe(5);
  });

  it("begins anew when the stream did", () => {
    const live = new LiveGraph(everything);
    live.take(snapshotOf(0, 5));
    live.take(snapshotOf(0, 2, 1));
    expect(live.graph.end).toBe(2);
  });

  it("begins with what history tells from before, and shows nothing twice", () => {
    const live = new LiveGraph(everything, [eventOf(1), eventOf(2)]);
    live.take(snapshotOf(2, 4));
    expect(live.graph.end).toBe(3);
    live.take(snapshotOf(2, 4, 1));
    expect(live.graph.end).toBe(3);
  });

  it("shows what the filter accepts and finds events by their nodes", () => {
    const live = new LiveGraph((event) => event.seq % 2 === 0);
    live.take(snapshotOf(0, 5));
    expect(live.graph.end).toBe(3);
    expect(live.eventOf("id-4")?.seq).toBe(4);
    expect(live.eventOf("id-3")).toBeUndefined();
  });
});
