import { describe, expect, it } from "vitest";
import { replayOfRows, type SampleRow } from "../testing/replay_sample.ts";
import { agentsAt, lastDecisions } from "./replay_agents.ts";
import { eventOfRow, placeKey } from "./replay_events.ts";
import { ReplayIndex } from "./replay_index.ts";

const row = (given: Partial<SampleRow>): SampleRow => ({
  stream: 0,
  passedMs: 10,
  kind: 0,
  agent: 0,
  flag: 0,
  status: 0,
  resource: 0,
  hash: 0,
  size: 0,
  cause: 0,
  ...given,
});
const SIGNAL = { kind: 2, status: 1 };
const columns = replayOfRows([
  row(SIGNAL),
  row({}),
  row({ agent: 1 }),
  row({ kind: 3, status: 4, flag: 1 }),
  row({ ...SIGNAL, status: 2, flag: 1 }),
  row(SIGNAL),
]);
const index = new ReplayIndex(columns);
const at = (moment: number) => agentsAt(columns, index.stateAt(moment), new Map()).get("agent-0");

describe("the agents at a moment", () => {
  it("are those that had spoken by then", () => {
    expect([...agentsAt(columns, index.stateAt(1), new Map()).keys()]).toEqual(["agent-0"]);
    expect([...agentsAt(columns, index.stateAt(2), new Map()).keys()]).toEqual([
      "agent-0",
      "agent-1",
    ]);
  });

  it("have the status of their last signal", () => {
    expect([0, 3, 4, 5].map((moment) => at(moment)?.status)).toEqual([
      "HEALTHY",
      "HEALTHY",
      "CRITICAL_FAILURE",
      "HEALTHY",
    ]);
  });

  it("show an error until they are well again", () => {
    expect([2, 3, 4, 5].map((moment) => at(moment)?.error?.id ?? null)).toEqual([
      null,
      "ENCHANTED_SWARM#12",
      "ENCHANTED_SWARM#15",
      null,
    ]);
  });

  it("show their last decision and what they have done", () => {
    expect(at(5)).toMatchObject({ events: 5, decisions: 1, failures: 2 });
    expect(at(5)?.decision?.id).toBe("ENCHANTED_SWARM#6");
  });

  it("say of what they did last what is known of it", () => {
    const whole = { ...eventOfRow(columns, 1), summary: "because" };
    const known = new Map([[placeKey(whole), whole]]);
    const agents = agentsAt(columns, index.stateAt(2), known);
    expect(agents.get("agent-0")?.last?.text).toBe("because");
    expect(agents.get("agent-1")?.last?.text).toBe("…");
  });

  it("name the decisions whose words are worth fetching, the newest first", () => {
    expect(lastDecisions(columns, index.stateAt(5), 2)).toEqual([
      "ENCHANTED_SWARM#9",
      "ENCHANTED_SWARM#6",
    ]);
    expect(lastDecisions(columns, index.stateAt(5), 1)).toHaveLength(1);
  });
});
