/** Which node is under the pointer. */
import type { SwarmGraph } from "./graph.ts";
import { heapWidth } from "./graph_scene.ts";
import { type GraphView, laneAtPixel, pixelOfX } from "./graph_view.ts";

/** How far beside a node it is still hit, pixels. */
const REACH = 11;

/** The node nearest to a pixel of the plot, on the lane there; undefined: none is near. */
export function nodeAt(
  graph: SwarmGraph,
  view: GraphView,
  pixelX: number,
  pixelY: number,
  until: number,
): number | undefined {
  const lane = laneAtPixel(view, pixelY);
  const from = graph.firstAtOrAfter(view.x + (pixelX - REACH) / view.scale);
  const to = Math.min(graph.firstAtOrAfter(view.x + (pixelX + REACH) / view.scale), until);
  let nearest: number | undefined;
  let distance = REACH;
  for (let ordinal = from; ordinal < to; ordinal += 1) {
    if (graph.laneIndexOf(ordinal) !== lane) continue;
    const beside = Math.abs(pixelOfX(view, graph.xOf(ordinal)) - pixelX);
    if (beside > distance) continue;
    nearest = ordinal;
    distance = beside;
  }
  return nearest;
}

/** How many nodes the bar at a pixel of the plot stands for. */
export function heapAt(
  graph: SwarmGraph,
  view: GraphView,
  pixelX: number,
  pixelY: number,
  until: number,
): number {
  const width = heapWidth(view);
  const lane = laneAtPixel(view, pixelY);
  const cell = Math.floor((view.x + pixelX / view.scale) / width);
  const to = Math.min(graph.firstAtOrAfter((cell + 1) * width), until);
  let count = 0;
  for (let ordinal = graph.firstAtOrAfter(cell * width); ordinal < to; ordinal += 1) {
    if (graph.laneIndexOf(ordinal) === lane) count += 1;
  }
  return count;
}
