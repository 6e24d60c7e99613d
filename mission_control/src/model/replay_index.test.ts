import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { anyReplay, workingReplay } from "../testing/replay_sample.ts";
import type { ReplayColumns } from "./replay_columns.ts";
import { ReplayIndex } from "./replay_index.ts";

/** What a moment shows, found by looking at every row before it. */
function naiveState(columns: ReplayColumns, last: number) {
  const rows = Array.from({ length: last + 1 }, (_, row) => row);
  const kindOf = (row: number) => columns.kinds[columns.kind[row] ?? 0];
  const ofAgent = (agent: number) => rows.filter((row) => columns.agent[row] === agent);
  const newest = (found: readonly number[]) => found.at(-1) ?? -1;
  const decisions = rows.filter((row) => kindOf(row) === "decision");
  const changes = rows.filter((row) => kindOf(row) === "state_change");
  const failures = rows.filter((row) => columns.flag[row] === 1);
  const agents = columns.agents.map((_, agent) => {
    const own = ofAgent(agent);
    const signal = newest(own.filter((row) => kindOf(row) === "system_signal"));
    const failure = newest(own.filter((row) => columns.flag[row] === 1));
    return {
      row: newest(own),
      act: newest(own.filter((row) => kindOf(row) !== "system_signal")),
      signal,
      decision: newest(own.filter((row) => decisions.includes(row))),
      failure: failure >= signal ? failure : -1,
      events: own.length,
      decisions: own.filter((row) => decisions.includes(row)).length,
      changes: own.filter((row) => changes.includes(row)).length,
      errors: own.filter((row) => columns.flag[row] === 1).length,
    };
  });
  const resources = columns.resources.map((_, resource) =>
    newest(changes.filter((row) => columns.resource[row] === resource)),
  );
  const counts = [rows.length, decisions.length, changes.length, failures.length];
  return { counts, agents, resources };
}

function indexedState(index: ReplayIndex, row: number) {
  const state = index.stateAt(row);
  const agents = index.columns.agents.map((_, agent) => ({
    row: state.agentRow[agent],
    act: state.agentAct[agent],
    signal: state.agentSignal[agent],
    decision: state.agentDecision[agent],
    failure: state.agentFailure[agent],
    events: state.agentEvents[agent],
    decisions: state.agentDecisions[agent],
    changes: state.agentChanges[agent],
    errors: state.agentErrors[agent],
  }));
  const counts = [state.events, state.decisions, state.changes, state.errors];
  return { counts, agents, resources: [...state.resourceRow] };
}

describe("the index of a replay", () => {
  it("tells the state at any row as a reading of all rows before it does", () => {
    fc.assert(
      fc.property(anyReplay(60), fc.nat(59), (columns, row) => {
        const last = Math.min(row, columns.rows - 1);
        expect(indexedState(new ReplayIndex(columns), last)).toEqual(naiveState(columns, last));
      }),
    );
  });

  it("tells the same on both sides of every checkpoint of a long run", () => {
    const columns = workingReplay(1_600);
    const index = new ReplayIndex(columns);
    for (const row of [0, 254, 255, 256, 257, 511, 512, 1_279, 1_280, 1_599]) {
      expect(indexedState(index, row)).toEqual(naiveState(columns, row));
    }
  });

  it("is empty before the first row and stays at the last one after it", () => {
    const index = new ReplayIndex(workingReplay(10));
    expect(index.stateAt(-5).events).toBe(0);
    expect(index.stateAt(99)).toEqual(index.stateAt(9));
  });

  it("hands out states that share nothing", () => {
    const index = new ReplayIndex(workingReplay(600));
    index.stateAt(300).agentEvents.fill(0);
    expect(index.stateAt(300).agentEvents).not.toEqual(new Int32Array(5));
  });

  it("answers for a run without rows", () => {
    expect(new ReplayIndex(workingReplay(0)).stateAt(0)).toMatchObject({ row: -1, events: 0 });
  });
});
