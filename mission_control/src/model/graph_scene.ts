/**
 * What of a graph is drawn in a view: nodes one by one while they have room, bars of many where
 * they have not.
 *
 * The scene is told to a sink and never built: a frame makes no garbage. Work grows with the nodes
 * in sight only.
 */
import { CATEGORY } from "./event_category.ts";
import type { SwarmGraph } from "./graph.ts";
import { type GraphView, laneAtPixel, pixelOfLane, pixelOfX } from "./graph_view.ts";

export interface GraphSink {
  /** A node by itself; `x` and `y` are the pixels of its middle. */
  node(ordinal: number, x: number, y: number): void;
  /** Nodes too close to be told apart. */
  heap(heap: Heap): void;
  /** Two nodes of a lane that happened in the same span. */
  join(fromX: number, toX: number, y: number): void;
  /** A cause, and its effect. */
  edge(fromX: number, fromY: number, toX: number, toY: number, cause: number, effect: number): void;
}

/** A bar that stands for several nodes of a lane. */
export interface Heap {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly count: number;
  readonly errors: number;
  readonly decisions: number;
  readonly changes: number;
}

/** Nodes closer than this many pixels are heaped. */
const CLOSEST_NODES = 9;
/**
 * With more nodes than this in sight they are heaped, too: more would not be drawn within a frame.
 */
const MAX_NODES = 4_000;
/** Edges drawn in a frame, the newest first. */
const MAX_EDGES = 1_200;
/** Between bars, edges of more nodes than this are a thicket that tells nothing. */
const MAX_HEAPED_EDGES = 400;
/** Causes on the same lane that are further away than this are not drawn, pixels. */
const LONGEST_ARC = 200;
const HEAP_PIXELS = 6;
/** Nodes this far outside are drawn, too: half of one may be in sight. */
const MARGIN_PIXELS = 16;

/**
 * Nodes that are in sight, as a range of ordinals; `until` ends what has happened at the moment
 * shown.
 */
export function visibleRange(
  graph: SwarmGraph,
  view: GraphView,
  until: number,
): { readonly from: number; readonly to: number } {
  const margin = MARGIN_PIXELS / view.scale;
  const from = graph.firstAtOrAfter(view.x - margin);
  const to = graph.firstAtOrAfter(view.x + view.width / view.scale + margin);
  return { from: Math.min(from, until), to: Math.min(to, until) };
}

/** Whether nodes are heaped in this view. */
export function isHeaped(graph: SwarmGraph, view: GraphView, until: number): boolean {
  const { from, to } = visibleRange(graph, view, until);
  return view.scale < CLOSEST_NODES || to - from > MAX_NODES;
}

/**
 * Units of the picture that one bar stands for: a power of two, so that bars keep their place while
 * the view moves.
 */
export function heapWidth(view: GraphView): number {
  return 2 ** Math.ceil(Math.log2(HEAP_PIXELS / view.scale));
}

/** Tells a sink what to draw, from the back to the front. */
export function drawScene(
  graph: SwarmGraph,
  view: GraphView,
  until: number,
  sink: GraphSink,
): void {
  const { from, to } = visibleRange(graph, view, until);
  const heaped = isHeaped(graph, view, until);
  if (!heaped || to - from <= MAX_HEAPED_EDGES) drawEdges(graph, view, from, to, sink);
  if (heaped) {
    drawHeaps(graph, view, from, to, sink);
    return;
  }
  drawJoins(graph, view, from, to, until, sink);
  for (let ordinal = from; ordinal < to; ordinal += 1) {
    const y = pixelOfLane(view, graph.laneIndexOf(ordinal));
    if (isInSight(view, y)) sink.node(ordinal, pixelOfX(view, graph.xOf(ordinal)), y);
  }
}

function drawJoins(
  graph: SwarmGraph,
  view: GraphView,
  from: number,
  to: number,
  until: number,
  sink: GraphSink,
): void {
  for (let ordinal = from; ordinal < to; ordinal += 1) drawJoin(graph, view, ordinal, sink);
  // Stretches that reach out of sight on the right, or across all of it.
  const lastLane = Math.min(laneAtPixel(view, view.height), graph.lanes.length - 1);
  for (let index = Math.max(laneAtPixel(view, 0), 0); index <= lastLane; index += 1) {
    const next = graph.firstOnLane(index, to);
    if (next !== undefined && next < until) drawJoin(graph, view, next, sink);
  }
}

function drawJoin(graph: SwarmGraph, view: GraphView, ordinal: number, sink: GraphSink): void {
  const previous = graph.previousOf(ordinal);
  if (previous === undefined || !graph.isJoined(ordinal)) return;
  const y = pixelOfLane(view, graph.laneIndexOf(ordinal));
  if (!isInSight(view, y)) return;
  sink.join(pixelOfX(view, graph.xOf(previous)), pixelOfX(view, graph.xOf(ordinal)), y);
}

function drawEdges(
  graph: SwarmGraph,
  view: GraphView,
  from: number,
  to: number,
  sink: GraphSink,
): void {
  const seen = new EdgeSieve(view);
  for (let effect = to - 1; effect >= from && seen.size < MAX_EDGES; effect -= 1) {
    for (const cause of graph.causesOf(effect)) {
      if (isPlain(graph, view, cause, effect) || !seen.isNew(graph, cause, effect)) continue;
      drawEdge(graph, view, cause, effect, sink);
    }
  }
}

/**
 * Whether a cause needs no edge: the lane says it already, or the edge would run along the lane
 * over everything between. Those of the selected node are drawn all the same.
 */
function isPlain(graph: SwarmGraph, view: GraphView, cause: number, effect: number): boolean {
  if (graph.laneIndexOf(cause) !== graph.laneIndexOf(effect)) return false;
  const reach = (graph.xOf(effect) - graph.xOf(cause)) * view.scale;
  return graph.previousOf(effect) === cause || reach > LONGEST_ARC;
}

export function drawEdge(
  graph: SwarmGraph,
  view: GraphView,
  cause: number,
  effect: number,
  sink: Pick<GraphSink, "edge">,
): void {
  const fromY = pixelOfLane(view, graph.laneIndexOf(cause));
  const toY = pixelOfLane(view, graph.laneIndexOf(effect));
  if (!isInSight(view, fromY) && !isInSight(view, toY)) return;
  const fromX = pixelOfX(view, graph.xOf(cause));
  sink.edge(fromX, fromY, pixelOfX(view, graph.xOf(effect)), toY, cause, effect);
}

/** Lets one edge through of those that would lie over each other. */
class EdgeSieve {
  private readonly seen = new Set<string>();
  private readonly width: number;

  constructor(view: GraphView) {
    this.width = heapWidth(view);
  }

  get size(): number {
    return this.seen.size;
  }

  isNew(graph: SwarmGraph, cause: number, effect: number): boolean {
    const key = `${this.cellOf(graph, cause)}-${this.cellOf(graph, effect)}`;
    if (this.seen.has(key)) return false;
    this.seen.add(key);
    return true;
  }

  private cellOf(graph: SwarmGraph, ordinal: number): string {
    return `${graph.laneIndexOf(ordinal)}:${Math.floor(graph.xOf(ordinal) / this.width)}`;
  }
}

interface OpenHeap {
  cell: number;
  count: number;
  errors: number;
  decisions: number;
  changes: number;
}

function drawHeaps(
  graph: SwarmGraph,
  view: GraphView,
  from: number,
  to: number,
  sink: GraphSink,
): void {
  const width = heapWidth(view);
  const open: (OpenHeap | undefined)[] = [];
  for (let ordinal = from; ordinal < to; ordinal += 1) {
    const lane = graph.laneIndexOf(ordinal);
    const cell = Math.floor(graph.xOf(ordinal) / width);
    let heap = open[lane];
    if (heap === undefined || heap.cell !== cell) {
      if (heap !== undefined) closeHeap(view, lane, heap, width, sink);
      heap = { cell, count: 0, errors: 0, decisions: 0, changes: 0 };
      open[lane] = heap;
    }
    countInto(heap, graph, ordinal);
  }
  open.forEach((heap, lane) => {
    if (heap !== undefined) closeHeap(view, lane, heap, width, sink);
  });
}

function countInto(heap: OpenHeap, graph: SwarmGraph, ordinal: number): void {
  const category = graph.categoryOf(ordinal);
  heap.count += 1;
  if (graph.isErrorAt(ordinal)) heap.errors += 1;
  if (category === CATEGORY.decision) heap.decisions += 1;
  if (category === CATEGORY.change) heap.changes += 1;
}

function closeHeap(
  view: GraphView,
  lane: number,
  heap: OpenHeap,
  width: number,
  sink: GraphSink,
): void {
  const y = pixelOfLane(view, lane);
  if (!isInSight(view, y)) return;
  const { count, errors, decisions, changes } = heap;
  const x = pixelOfX(view, heap.cell * width);
  sink.heap({ x, y, width: width * view.scale, count, errors, decisions, changes });
}

function isInSight(view: GraphView, y: number): boolean {
  return y > -view.laneHeight && y < view.height + view.laneHeight;
}
