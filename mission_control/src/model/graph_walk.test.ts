import { describe, expect, it } from "vitest";
import { milliseconds } from "../types/units.ts";
import { SwarmGraph } from "./graph.ts";
import { lineageOf, neighbourOf } from "./graph_walk.ts";

/** Rows of `[agent, causes]`. */
function graphOf(...rows: readonly (readonly [string, readonly number[]])[]): SwarmGraph {
  const graph = new SwarmGraph(100);
  rows.forEach(([agentId, causes], key) => {
    const atMs = milliseconds(0);
    const node = { key, agentId, role: "CODER", kind: "decision", atMs, isError: false, span: "" };
    graph.append({ ...node, causes });
  });
  return graph;
}

const graph = graphOf(["a", []], ["b", [0]], ["a", []], ["c", [1]], ["b", []], ["a", [3]]);

describe("going through the graph", () => {
  it("follows a lane in both directions and stops at its ends", () => {
    expect(neighbourOf(graph, 2, "left", 6)).toBe(0);
    expect(neighbourOf(graph, 2, "right", 6)).toBe(5);
    expect(neighbourOf(graph, 5, "right", 6)).toBe(5);
    expect(neighbourOf(graph, 0, "left", 6)).toBe(0);
  });

  it("goes to the nearest node of the next lane", () => {
    expect(neighbourOf(graph, 0, "down", 6)).toBe(1);
    expect(neighbourOf(graph, 3, "up", 6)).toBe(4);
    expect(neighbourOf(graph, 0, "up", 6)).toBe(0);
  });

  it("goes to causes and effects", () => {
    expect(neighbourOf(graph, 5, "cause", 6)).toBe(3);
    expect(neighbourOf(graph, 0, "effect", 6)).toBe(1);
  });

  it("goes nowhere that has not happened at the moment", () => {
    expect(neighbourOf(graph, 2, "right", 5)).toBe(2);
    expect(neighbourOf(graph, 3, "effect", 5)).toBe(3);
    expect(neighbourOf(graph, 0, "last", 4)).toBe(3);
  });

  it("knows all that led to a node and all that followed", () => {
    expect([...lineageOf(graph, 3, 6)].toSorted()).toEqual([0, 1, 3, 5]);
    expect([...lineageOf(graph, 3, 5)].toSorted()).toEqual([0, 1, 3]);
  });

  it("ends where causes go in a circle", () => {
    const circle = graphOf(["a", [1]], ["b", [0]]);
    expect([...lineageOf(circle, 0, 2)].toSorted()).toEqual([0, 1]);
  });
});
