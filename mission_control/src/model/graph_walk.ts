/** Going from node to node: along a lane, across lanes, and along causes. */
import type { SwarmGraph } from "./graph.ts";

export type Direction = "left" | "right" | "up" | "down" | "cause" | "effect" | "first" | "last";

/** Nodes of a lineage that are shown; more would cover the picture. */
const MAX_LINEAGE = 400;

/**
 * The node in a direction, of those that have happened at the moment shown; the same one where
 * there is none.
 */
export function neighbourOf(
  graph: SwarmGraph,
  ordinal: number,
  direction: Direction,
  until: number,
): number {
  const found = candidateIn(graph, ordinal, direction, until);
  return found === undefined || found >= until || !graph.has(found) ? ordinal : found;
}

/** What led to a node, and what followed from it, the nearest first; itself is part of both. */
export function lineageOf(graph: SwarmGraph, ordinal: number, until: number): ReadonlySet<number> {
  const reached = new Set<number>();
  const steps = [(at: number) => graph.causesOf(at), (at: number) => graph.effectsOf(at)];
  for (const step of steps) spread(ordinal, step, until, reached);
  return reached;
}

function candidateIn(
  graph: SwarmGraph,
  ordinal: number,
  direction: Direction,
  until: number,
): number | undefined {
  const lane = graph.laneIndexOf(ordinal);
  switch (direction) {
    case "left":
      return graph.previousOf(ordinal);
    case "right":
      return graph.firstOnLane(lane, ordinal + 1);
    case "up":
      return nearestOnLanes(graph, ordinal, lane, -1, until);
    case "down":
      return nearestOnLanes(graph, ordinal, lane, 1, until);
    case "cause":
      return graph.causesOf(ordinal)[0];
    case "effect":
      return graph.effectsOf(ordinal)[0];
    case "first":
      return graph.first;
    case "last":
      return until - 1;
  }
}

function nearestOnLanes(
  graph: SwarmGraph,
  ordinal: number,
  lane: number,
  step: 1 | -1,
  until: number,
): number | undefined {
  for (let index = lane + step; index >= 0 && index < graph.lanes.length; index += step) {
    const nearest = nearestOnLane(graph, ordinal, index, until);
    if (nearest !== undefined) return nearest;
  }
  return undefined;
}

function nearestOnLane(
  graph: SwarmGraph,
  ordinal: number,
  lane: number,
  until: number,
): number | undefined {
  const after = graph.firstOnLane(lane, ordinal);
  const before = graph.lastOnLane(lane, Math.min(ordinal, until));
  if (after === undefined || after >= until) return before;
  if (before === undefined) return after;
  const x = graph.xOf(ordinal);
  return graph.xOf(after) - x < x - graph.xOf(before) ? after : before;
}

function spread(
  start: number,
  step: (ordinal: number) => readonly number[],
  until: number,
  reached: Set<number>,
): void {
  const limit = reached.size + MAX_LINEAGE;
  const queue = [start];
  reached.add(start);
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    for (const found of step(next)) {
      if (found >= until || reached.has(found) || reached.size >= limit) continue;
      reached.add(found);
      queue.push(found);
    }
  }
}
