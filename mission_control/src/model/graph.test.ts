import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { milliseconds } from "../types/units.ts";
import { CATEGORY } from "./event_category.ts";
import { type NodeInput, STEP, SwarmGraph } from "./graph.ts";

const anyNodes: fc.Arbitrary<NodeInput[]> = fc
  .array(
    fc.record({
      agent: fc.nat(3),
      atMs: fc.nat(20_000).map(milliseconds),
      span: fc.constantFrom("", "s1", "s2"),
      isError: fc.boolean(),
      causes: fc.array(fc.nat(60), { maxLength: 3 }),
    }),
    { maxLength: 60 },
  )
  .map((drawn) => drawn.map((node, key) => nodeOf(key, node)));

function nodeOf(key: number, given: Partial<NodeInput> & { agent?: number } = {}): NodeInput {
  const { agent = 0, ...rest } = given;
  return {
    key,
    agentId: `agent-${agent}`,
    role: "CODER",
    kind: "decision",
    atMs: milliseconds(0),
    isError: false,
    span: "",
    causes: [],
    ...rest,
  } as NodeInput;
}

function graphOf(nodes: readonly NodeInput[], capacity = 1_000): SwarmGraph {
  const graph = new SwarmGraph(capacity);
  for (const node of nodes) graph.append(node);
  return graph;
}

const ordinalsOf = (graph: SwarmGraph) =>
  Array.from({ length: graph.end - graph.first }, (_, index) => graph.first + index);

describe("the graph of a swarm", () => {
  it("puts no node left of one that arrived before it", () => {
    fc.assert(
      fc.property(anyNodes, (nodes) => {
        const graph = graphOf(nodes);
        const xs = ordinalsOf(graph).map((ordinal) => graph.xOf(ordinal));
        expect(xs).toEqual(xs.toSorted((left, right) => left - right));
      }),
    );
  });

  it("puts every node right of the one before it on its lane and of its causes", () => {
    fc.assert(
      fc.property(anyNodes, (nodes) => {
        const graph = graphOf(nodes);
        for (const ordinal of ordinalsOf(graph)) {
          const earlier = graph.causesOf(ordinal).filter((cause) => cause < ordinal);
          const previous = graph.previousOf(ordinal);
          for (const before of previous === undefined ? earlier : [...earlier, previous]) {
            expect(graph.xOf(ordinal)).toBeGreaterThanOrEqual(graph.xOf(before) + STEP);
          }
        }
      }),
    );
  });

  it("moves no node when others arrive", () => {
    fc.assert(
      fc.property(anyNodes, fc.nat(60), (nodes, cut) => {
        const before = graphOf(nodes.slice(0, cut));
        const after = graphOf(nodes);
        for (const ordinal of ordinalsOf(before)) {
          expect(after.xOf(ordinal)).toBe(before.xOf(ordinal));
          expect(after.laneIndexOf(ordinal)).toBe(before.laneIndexOf(ordinal));
        }
      }),
    );
  });

  it("keeps as many nodes as it may, and what it says of them stays true", () => {
    fc.assert(
      fc.property(anyNodes, fc.integer({ min: 1, max: 20 }), (nodes, capacity) => {
        const graph = graphOf(nodes, capacity);
        const kept = ordinalsOf(graph);
        expect(kept.map((ordinal) => graph.keyOf(ordinal))).toEqual(
          nodes.slice(-capacity).map((node) => node.key),
        );
        const onLanes = graph.lanes.flatMap((lane) => lane?.nodes.slice(lane.head) ?? []);
        expect(onLanes.toSorted((left, right) => left - right)).toEqual(kept);
        const links = kept.flatMap((o) => [...graph.causesOf(o), ...graph.effectsOf(o)]);
        expect(links.every((ordinal) => graph.has(ordinal))).toBe(true);
      }),
    );
  });

  it("links an effect to a cause that arrives after it", () => {
    const graph = graphOf([nodeOf(1, { causes: [2] }), nodeOf(2, { agent: 1 })]);
    expect(graph.causesOf(0)).toEqual([1]);
    expect(graph.effectsOf(1)).toEqual([0]);
  });

  it("links every cause to its effect in both directions", () => {
    fc.assert(
      fc.property(anyNodes, (nodes) => {
        const graph = graphOf(nodes);
        for (const ordinal of ordinalsOf(graph)) {
          for (const cause of graph.causesOf(ordinal)) {
            expect(graph.effectsOf(cause)).toContain(ordinal);
          }
        }
      }),
    );
  });

  it("takes no event for its own cause, and none twice", () => {
    const graph = graphOf([nodeOf(1, { causes: [1] }), nodeOf(1), nodeOf(2, { causes: [1, 1] })]);
    expect(graph.end).toBe(2);
    expect([graph.causesOf(0), graph.causesOf(1)]).toEqual([[], [0]]);
  });

  it("opens a gap for a pause, and none beyond all measure", () => {
    const graph = graphOf([
      nodeOf(1),
      nodeOf(2, { agent: 1, atMs: milliseconds(500) }),
      nodeOf(3, { agent: 2, atMs: milliseconds(90_000_000) }),
    ]);
    expect([0, 1, 2].map((ordinal) => graph.xOf(ordinal))).toEqual([0, 0.5, 4.5]);
  });

  it("gives the lane of an agent whose nodes are gone to the next new one", () => {
    const graph = graphOf([nodeOf(1), nodeOf(2, { agent: 1 }), nodeOf(3, { agent: 2 })], 2);
    expect(graph.lanes.map((lane) => lane?.agentId)).toEqual(["agent-2", "agent-1"]);
  });

  it("joins events of a lane in the same span only while no other is between them", () => {
    const spans = ["a", "a", "b", "a", "", ""];
    const graph = graphOf(spans.map((span, key) => nodeOf(key, { span })));
    expect(spans.map((_, ordinal) => graph.isJoined(ordinal))).toEqual([
      false,
      true,
      false,
      false,
      false,
      false,
    ]);
  });

  it("finds the first node at any x as a search through all does", () => {
    fc.assert(
      fc.property(anyNodes, fc.integer({ min: 1, max: 30 }), fc.nat(80), (nodes, capacity, x) => {
        const graph = graphOf(nodes, capacity);
        const found = ordinalsOf(graph).find((ordinal) => graph.xOf(ordinal) >= x);
        expect(graph.firstAtOrAfter(x)).toBe(found ?? graph.end);
      }),
    );
  });

  it("finds neighbours on a lane as a search through all does", () => {
    fc.assert(
      fc.property(anyNodes, fc.nat(3), fc.nat(60), (nodes, lane, ordinal) => {
        const graph = graphOf(nodes, 30);
        const own = ordinalsOf(graph).filter((node) => graph.laneIndexOf(node) === lane);
        expect(graph.firstOnLane(lane, ordinal)).toBe(own.find((node) => node >= ordinal));
        expect(graph.lastOnLane(lane, ordinal)).toBe(own.findLast((node) => node < ordinal));
      }),
    );
  });

  it("remembers of each event its sort and whether it tells of a failure", () => {
    const graph = graphOf([nodeOf(1, { kind: "tool_call", isError: true }), nodeOf(2)]);
    expect(graph.categoryOf(0)).toBe(CATEGORY.tool);
    expect([graph.isErrorAt(0), graph.isErrorAt(1)]).toEqual([true, false]);
  });
});
