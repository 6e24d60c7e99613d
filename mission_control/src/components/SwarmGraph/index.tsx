import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { useLiveGraph } from "../../hooks/useLiveGraph.ts";
import { useReplayGraph } from "../../hooks/useReplayGraph.ts";
import { hrefWith } from "../../hooks/useUrlState.ts";
import { viewOfRow } from "../../model/event_view.ts";
import type { NodeKey } from "../../model/graph.ts";
import { textOfEvent } from "../../model/node_text.ts";
import type { ReplayRun } from "../../model/replay.ts";
import { eventOfRow } from "../../model/replay_events.ts";
import { queryKey, traceApi } from "../../services/trace_api.ts";
import type { LiveSnapshot } from "../../types/live.ts";
import type { SwarmEventView } from "../../types/swarm_event.ts";
import { LiveTraceGraph } from "../LiveTraceGraph/index.tsx";
import { Empty } from "../Notice/index.tsx";

interface LiveGraphProps {
  readonly live: LiveSnapshot;
  readonly accepts: (event: SwarmEventView) => boolean;
  /** Events of history from before the live ones, oldest first. */
  readonly earlier: readonly SwarmEventView[];
}

/** The graph of what happens now. */
export function GraphOfNow({ live, accepts, earlier }: LiveGraphProps) {
  const { graph, version, eventOf } = useLiveGraph(live, accepts, earlier);
  const [selected, select] = useState<NodeKey | null>(null);
  return (
    <LiveTraceGraph
      graph={graph}
      version={version}
      until={null}
      selected={selected}
      onSelect={select}
      describe={(key) => {
        const event = eventOf(key);
        return event === undefined ? null : textOfEvent(event, hrefOfEvent);
      }}
      empty={<Empty title="The graph grows with the first event" />}
    />
  );
}

interface MomentGraphProps {
  readonly run: ReplayRun;
  /** Row of the moment; null: the newest. */
  readonly row: number | null;
}

/** The graph of a run up to a moment. */
export function GraphOfMoment({ run, row }: MomentGraphProps) {
  const { graph, version } = useReplayGraph(run);
  const [selected, select] = useState<NodeKey | null>(null);
  const chosen = useWholeEvent(run, selected);
  return (
    <LiveTraceGraph
      graph={graph}
      version={version}
      until={row === null ? null : Math.min(row + 1, graph.end)}
      selected={selected}
      onSelect={select}
      describe={(key) => {
        const event = key === selected && chosen ? chosen : eventOfRow(run.columns, Number(key));
        return textOfEvent(event, hrefOfEvent);
      }}
      empty={<Empty title="Nothing had happened yet at this moment" />}
    />
  );
}

function hrefOfEvent({ id }: SwarmEventView): string {
  return hrefWith(window.location.pathname, window.location.search, { event: id });
}

/** The selected row in full: columns tell neither what was said nor the spans. */
function useWholeEvent(run: ReplayRun, selected: NodeKey | null): SwarmEventView | null {
  const id = selected === null ? "" : eventOfRow(run.columns, Number(selected)).id;
  const { data } = useQuery({
    queryKey: queryKey("event", id),
    queryFn: ({ signal }) => traceApi.event(id, signal),
    enabled: id !== "",
  });
  return useMemo(() => (data === undefined ? null : viewOfRow(data)), [data]);
}
