/** The events that had happened by a moment, the newest last: at once from the columns, then in full. */
import { useQueries, useQuery } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useState } from "react";
import { viewOfRow } from "../model/event_view.ts";
import type { ReplayRun } from "../model/replay.ts";
import { lastDecisions } from "../model/replay_agents.ts";
import { eventsUpTo, placeKey, placesAfter } from "../model/replay_events.ts";
import { type EventDetail, queryKey, traceApi } from "../services/trace_api.ts";
import type { SwarmEventView } from "../types/swarm_event.ts";

/** What a moving slider passes by is not fetched: only where it rests this long. */
const REST_MS = 120;
/** Events that are fetched in full; those before them show what the columns tell. */
const PAGE = 200;
/** Last decisions that are fetched in full: about as many cards as a screen shows. */
const MOST_DECISIONS = 16;
const COUNT = 400;
const MORE = 1_000;

export interface MomentEvents {
  readonly events: readonly SwarmEventView[];
  /** Those before them that were asked for. */
  readonly earlier: readonly SwarmEventView[];
  readonly hasMore: boolean;
  /** Events in full, by their places; those of the moment's last decisions among them. */
  readonly known: ReadonlyMap<string, SwarmEventView>;
  readonly showMore: () => void;
  readonly showLess: () => void;
}

export function useMomentEvents(run: ReplayRun | undefined, row: number | null): MomentEvents {
  const [earlierCount, setEarlierCount] = useState(0);
  const rested = useRested(row);
  const page = useKnownEvents(run, rested);
  const decisions = useDecisions(run, rested);
  const known = useMemo(() => new Map([...decisions, ...page]), [decisions, page]);
  const upTo = useCallback(
    (last: number, count: number) =>
      run === undefined ? [] : eventsUpTo(run.columns, last, count, known),
    [run, known],
  );
  const events = useMemo(() => (row === null ? [] : upTo(row, COUNT)), [upTo, row]);
  const earlier = useMemo(
    () => (row === null ? [] : upTo(row - COUNT, earlierCount)),
    [upTo, row, earlierCount],
  );
  return {
    events,
    earlier,
    known,
    hasMore: row !== null && row + 1 > COUNT + earlierCount,
    showMore: () => setEarlierCount((count) => count + MORE),
    showLess: () => setEarlierCount(0),
  };
}

function useRested(row: number | null): number | null {
  const [rested, setRested] = useState(row);
  useEffect(() => {
    const timer = setTimeout(() => setRested(row), REST_MS);
    return () => clearTimeout(timer);
  }, [row]);
  return rested;
}

const NONE: ReadonlyMap<string, SwarmEventView> = new Map();

function useKnownEvents(
  run: ReplayRun | undefined,
  row: number | null,
): ReadonlyMap<string, SwarmEventView> {
  const runId = run?.columns.runId ?? "";
  const before = run === undefined || row === null ? [] : placesBefore(run, row);
  const query = useQuery({
    queryKey: queryKey("events", runId, before),
    queryFn: ({ signal }) => traceApi.eventsBefore(runId, before, PAGE, signal),
    enabled: before.length > 0,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 30_000,
    placeholderData: (previous) => previous,
  });
  return useMemo(() => {
    if (query.data === undefined) return NONE;
    const views = query.data.items.map(viewOfRow);
    return new Map(views.map((view) => [placeKey(view), view]));
  }, [query.data]);
}

/** The last decisions of a moment in full: cards of agents show their words. */
function useDecisions(
  run: ReplayRun | undefined,
  row: number | null,
): ReadonlyMap<string, SwarmEventView> {
  const places = useMemo(
    () =>
      run === undefined || row === null
        ? []
        : lastDecisions(run.columns, run.index.stateAt(row), MOST_DECISIONS),
    [run, row],
  );
  return useQueries({
    queries: places.map((place) => ({
      queryKey: queryKey("event", place),
      queryFn: ({ signal }: { readonly signal: AbortSignal }) => traceApi.event(place, signal),
      staleTime: Number.POSITIVE_INFINITY,
      gcTime: 30_000,
    })),
    combine: viewsOf,
  });
}

/** Outside the hook: combined anew only when an answer arrives. */
function viewsOf(
  answers: readonly { readonly data: EventDetail | undefined }[],
): ReadonlyMap<string, SwarmEventView> {
  const views = answers.flatMap(({ data }) => (data === undefined ? [] : [viewOfRow(data)]));
  return new Map(views.map((view) => [placeKey(view), view]));
}

function placesBefore(run: ReplayRun, row: number): readonly string[] {
  const places = placesAfter(run.columns, row);
  return Object.entries(places).map(([stream, seq]) => `${stream}:${seq}`);
}
