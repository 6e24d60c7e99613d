import { useInfiniteQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import type { Earlier } from "../components/AgentLogStream/index.tsx";
import { viewOfRow } from "../model/event_view.ts";
import { type EventFilter, queryOf } from "../model/filter.ts";
import { queryKey, traceApi } from "../services/trace_api.ts";
import type { LiveSnapshot } from "../types/live.ts";
import type { Milliseconds } from "../types/units.ts";

/** With fewer live events than this, those before them are shown without being asked for. */
const FEW = 100;
const PAGE_SIZE = 200;
/** Clocks of agents differ: events a bit younger than the first live one may stand before it. */
const CLOCK_SLACK_MS = 60_000;

interface Place {
  readonly cursor: string;
  readonly to: string;
}

/**
 * Return the events before those of the store, from history, page by page.
 *
 * @param count - how many events of the store the filter accepts
 */
export function useEarlierEvents(filter: EventFilter, live: LiveSnapshot, count: number): Earlier {
  const [asked, setAsked] = useState<{ readonly filter: EventFilter; readonly era: number } | null>(
    null,
  );
  const isAsked = asked !== null && asked.filter === filter;
  // The store lets go of events as it fills: what lies before it is then another stretch.
  const era = isAsked ? asked.era : live.dropped;
  const isWanted = isAsked || count < FEW;
  const first = { cursor: "", to: endBefore(live.events[0]?.atMs) };
  const pages = useInfiniteQuery({
    queryKey: queryKey("events", "earlier", filter, era, live.generation),
    queryFn: ({ pageParam, signal }) =>
      traceApi
        .events({ ...queryOf(filter), ...pageParam, limit: PAGE_SIZE }, signal)
        .then((page) => ({
          ...page,
          to: pageParam.to,
        })),
    initialPageParam: first as Place,
    getNextPageParam: (page) =>
      page.next_cursor ? { cursor: page.next_cursor, to: page.to } : null,
    enabled: isWanted,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const events = useMemo(
    () => (pages.data?.pages ?? []).flatMap((page) => page.items.map(viewOfRow)).reverse(),
    [pages.data],
  );
  return {
    events: isWanted ? events : NONE,
    hasMore: isWanted && pages.data ? pages.hasNextPage : !isWanted || pages.isPending,
    isLoading: isWanted && pages.isFetching,
    error: isWanted && !pages.data ? pages.error : null,
    load: () => {
      if (!isAsked) setAsked({ filter, era });
      if (pages.data && pages.hasNextPage) void pages.fetchNextPage();
      else if (pages.isError) void pages.refetch();
    },
    release: () => setAsked(null),
  };
}

const NONE: Earlier["events"] = [];

function endBefore(firstMs: Milliseconds | undefined): string {
  if (firstMs === undefined || firstMs <= 0) return "";
  const end = new Date(firstMs + CLOCK_SLACK_MS);
  return Number.isNaN(end.getTime()) ? "" : end.toISOString();
}
