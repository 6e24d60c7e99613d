import { useEffect, useMemo, useReducer } from "react";
import { SwarmGraph } from "../model/graph.ts";
import type { ReplayRun } from "../model/replay.ts";
import { ReplayGraph } from "../model/replay_graph.ts";
import type { GrowingGraph } from "./useLiveGraph.ts";

const EMPTY = new SwarmGraph(1);

/** The graph of a whole run, laid out a bit at a time; keys and ordinals are rows. */
export function useReplayGraph(run: ReplayRun | undefined): GrowingGraph {
  const layout = useMemo(() => (run === undefined ? null : new ReplayGraph(run.columns)), [run]);
  const [version, grow] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    if (layout === null || layout.isDone) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const proceed = () => {
      layout.proceed();
      grow();
      if (!layout.isDone) timer = setTimeout(proceed);
    };
    proceed();
    return () => clearTimeout(timer);
  }, [layout]);
  return { graph: layout?.graph ?? EMPTY, version };
}
