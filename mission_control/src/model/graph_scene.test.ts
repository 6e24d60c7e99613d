import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { milliseconds } from "../types/units.ts";
import { SwarmGraph } from "./graph.ts";
import { heapAt, nodeAt } from "./graph_hit.ts";
import { drawScene, type GraphSink, type Heap } from "./graph_scene.ts";
import {
  fitted,
  following,
  type GraphView,
  INITIAL_VIEW,
  panned,
  pixelOfLane,
  pixelOfX,
  resized,
  revealing,
  zoomed,
} from "./graph_view.ts";

/** `count` events of `lanes` agents in turn, each caused by the one before. */
function chain(count: number, lanes = 4): SwarmGraph {
  const graph = new SwarmGraph(count + 1);
  for (let key = 0; key < count; key += 1) {
    graph.append({
      key,
      agentId: `agent-${key % lanes}`,
      role: "CODER",
      kind: key % 3 === 0 ? "decision" : "state_change",
      atMs: milliseconds(0),
      isError: key % 10 === 9,
      span: "s",
      causes: key === 0 ? [] : [key - 1],
    });
  }
  return graph;
}

class Recorder implements GraphSink {
  readonly nodes: number[] = [];
  readonly heaps: Heap[] = [];
  readonly edges: [number, number][] = [];
  joins = 0;
  node(ordinal: number): void {
    this.nodes.push(ordinal);
  }
  heap(heap: Heap): void {
    this.heaps.push({ ...heap });
  }
  join(): void {
    this.joins += 1;
  }
  edge(...[, , , , cause, effect]: Parameters<GraphSink["edge"]>): void {
    this.edges.push([cause, effect]);
  }
}

function drawn(graph: SwarmGraph, view: GraphView, until = graph.end): Recorder {
  const recorder = new Recorder();
  drawScene(graph, view, until, recorder);
  return recorder;
}

const view = resized(INITIAL_VIEW, 400, 120, 4);

describe("the scene", () => {
  it("holds the nodes in sight and no others", () => {
    const { nodes } = drawn(chain(1_000), { ...view, x: 500 });
    expect(nodes[0]).toBeLessThanOrEqual(500);
    expect(nodes.at(-1)).toBeGreaterThanOrEqual(500 + Math.floor(400 / view.scale));
    expect(nodes.length).toBeLessThan(30);
  });

  it("shows nothing that happened after the moment", () => {
    const { nodes, edges } = drawn(chain(100), view, 7);
    expect(nodes).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(edges.every(([, effect]) => effect < 7)).toBe(true);
  });

  it("heaps nodes that are too close, and loses none of them", () => {
    const graph = chain(5_000);
    const { nodes, heaps } = drawn(graph, fitted(view, graph.extent));
    expect(nodes).toEqual([]);
    expect(heaps.reduce((sum, heap) => sum + heap.count, 0)).toBe(5_000);
    expect(heaps.reduce((sum, heap) => sum + heap.errors, 0)).toBe(500);
    expect(heaps.length).toBeLessThanOrEqual((400 / 3) * 4);
  });

  it("draws an edge for every cause while there are few", () => {
    expect(drawn(chain(5), view).edges.toReversed()).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
      [3, 4],
    ]);
  });

  it("draws a bounded number of edges of any number of causes", () => {
    const graph = chain(20_000, 40);
    const wide = fitted(resized(INITIAL_VIEW, 4_000, 1_400, 40), graph.extent);
    expect(drawn(graph, wide).edges.length).toBeLessThanOrEqual(1_200);
  });

  it("joins nodes of a span whose ends are both out of sight", () => {
    const graph = chain(41, 40);
    const between = { ...resized(INITIAL_VIEW, 200, 1_400, 40), x: 15 };
    const inSight = drawn(graph, between).nodes;
    expect(inSight).not.toContain(0);
    expect(drawn(graph, between).joins).toBe(1);
  });
});

describe("the pointer", () => {
  it("hits every node at its own pixel", () => {
    const graph = chain(30);
    fc.assert(
      fc.property(fc.nat(29), (ordinal) => {
        const at = revealing(view, graph.xOf(ordinal), graph.laneIndexOf(ordinal), 4);
        const x = pixelOfX(at, graph.xOf(ordinal));
        const y = pixelOfLane(at, graph.laneIndexOf(ordinal));
        expect(nodeAt(graph, at, x + 3, y - 4, graph.end)).toBe(ordinal);
      }),
    );
  });

  it("hits nothing between nodes, nor what has not happened yet", () => {
    const graph = chain(30);
    const y = pixelOfLane(view, 0);
    expect(nodeAt(graph, view, pixelOfX(view, 2), y, graph.end)).toBeUndefined();
    expect(nodeAt(graph, view, pixelOfX(view, 4), y, 4)).toBeUndefined();
  });

  it("counts the nodes of the bar below it", () => {
    const graph = chain(4_000);
    const all = fitted(view, graph.extent);
    expect(heapAt(graph, all, 200, pixelOfLane(all, 0), graph.end)).toBeGreaterThan(1);
  });
});

describe("the view", () => {
  const graph = chain(1_000);
  const someView = fc
    .record({ x: fc.nat(1_000), scale: fc.double({ min: 1, max: 60, noNaN: true }) })
    .map((given) => ({ ...view, ...given }));

  it("keeps what is under the pointer there when it zooms", () => {
    const factor = fc.double({ min: 0.5, max: 2, noNaN: true });
    fc.assert(
      fc.property(someView, factor, fc.nat(400), (before, by, pixel) => {
        const after = zoomed(before, by, pixel, graph.extent);
        const at = (seen: GraphView) => seen.x + pixel / seen.scale;
        expect(at(after)).toBeCloseTo(at(before), 6);
      }),
    );
  });

  it("never moves the picture out of sight", () => {
    fc.assert(
      fc.property(someView, fc.integer(), (before, delta) => {
        const after = panned(before, delta, graph.extent);
        const left = pixelOfX(after, graph.extent.left);
        const right = pixelOfX(after, graph.extent.right);
        expect(left).toBeLessThanOrEqual(view.width / 2 + 1e-6);
        expect(right).toBeGreaterThanOrEqual(view.width / 2 - 1e-6);
      }),
    );
  });

  it("follows the newest node and fits all of them", () => {
    const followed = following(view, graph.extent);
    expect(pixelOfX(followed, graph.extent.right)).toBeLessThan(view.width);
    expect(pixelOfX(followed, graph.extent.right)).toBeGreaterThan(view.width - 60);
    const all = fitted(view, graph.extent);
    expect(pixelOfX(all, graph.extent.left)).toBeGreaterThanOrEqual(0);
    expect(pixelOfX(all, graph.extent.right)).toBeLessThan(view.width);
  });
});
