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

/** The graph of the events that a filter accepts; another filter begins another graph. */
export function useLiveGraph(
  snapshot: LiveSnapshot,
  accepts: (event: SwarmEventView) => boolean,
): GrowingGraph & { readonly eventOf: (key: NodeKey) => SwarmEventView | undefined } {
  const live = useMemo(() => new LiveGraph(accepts), [accepts]);
  const [version, grow] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    if (live.take(snapshot)) grow();
  }, [live, snapshot]);
  return { graph: live.graph, version, eventOf: (key) => live.eventOf(key) };
}
