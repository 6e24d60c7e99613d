import { useEffect, useMemo, useReducer } from "react";
import type { NodeKey, SwarmGraph } from "../model/graph.ts";
import { LiveGraph } from "../stores/live_graph.ts";
import type { LiveSnapshot } from "../types/live.ts";
import type { SwarmEventView } from "../types/swarm_event.ts";

/** A graph that grows in place, and a number that grows with it. */
export interface GrowingGraph {
  readonly graph: SwarmGraph;
  readonly version: number;
}

/**
 * The graph of the events that a filter accepts, after those from history that are shown before
 * them; other ones begin another graph.
 */
export function useLiveGraph(
  snapshot: LiveSnapshot,
  accepts: (event: SwarmEventView) => boolean,
  earlier: readonly SwarmEventView[],
): GrowingGraph & { readonly eventOf: (key: NodeKey) => SwarmEventView | undefined } {
  const live = useMemo(() => new LiveGraph(accepts, earlier), [accepts, earlier]);
  const [version, grow] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    if (live.take(snapshot)) grow();
  }, [live, snapshot]);
  return { graph: live.graph, version, eventOf: (key) => live.eventOf(key) };
}
