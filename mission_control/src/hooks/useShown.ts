/** What a page of the swarm shows: the present, or a moment of a run in the same shapes. */
import { useMemo } from "react";
import type { Earlier } from "../components/AgentLogStream/index.tsx";
import { accepting, type EventFilter } from "../model/filter.ts";
import { FilteredEvents } from "../model/filtered.ts";
import { timeOf } from "../model/replay_columns.ts";
import type { AgentNow, LiveSnapshot } from "../types/live.ts";
import type { SwarmEventView } from "../types/swarm_event.ts";
import type { Milliseconds } from "../types/units.ts";
import { useCalm } from "./useCalm.ts";
import { useEarlierEvents } from "./useEarlierEvents.ts";
import { useNow } from "./useNow.ts";
import type { TimeTravel } from "./useTimeTravel.ts";

export interface Shown {
  readonly agents: readonly AgentNow[];
  /** Oldest first. */
  readonly events: readonly SwarmEventView[];
  readonly earlier: Earlier;
  /** The clock on the wall, at the moment. */
  readonly now: Milliseconds;
  /** Events per second of the last minute; null where time stands still. */
  readonly rate: readonly number[] | null;
  /** Row of the moment; null: the present. */
  readonly row: number | null;
}

/** What is told of agents, and how much happens, can be read at this pace; the log shows each event. */
const BOARD_PACE_MS = 250;

export function useShown(live: LiveSnapshot, travel: TimeTravel, filter: EventFilter): Shown {
  const present = usePresent(live, filter, !travel.isPast);
  const past = usePast(travel, filter);
  return travel.isPast ? past : present;
}

function usePresent(live: LiveSnapshot, filter: EventFilter, isSeen: boolean): Shown {
  const now = useNow();
  const filtered = useMemo(() => new FilteredEvents(accepting(filter)), [filter]);
  const events = useMemo(() => filtered.of(live), [filtered, live]);
  // While the past is looked at, nothing is asked of what lies before the present.
  const count = isSeen ? events.length : Number.POSITIVE_INFINITY;
  const earlier = useEarlierEvents(filter, live, count);
  const known = useCalm(live.agents, BOARD_PACE_MS);
  const rate = useCalm(live.rate, BOARD_PACE_MS);
  const agents = useMemo(() => agentsOf(known, filter.run), [known, filter.run]);
  return { agents, events, earlier, now, rate, row: null };
}

function usePast({ run, moment, agents, log }: TimeTravel, filter: EventFilter): Shown {
  const accepts = useMemo(() => accepting(filter), [filter]);
  const events = useMemo(() => log.events.filter(accepts), [log.events, accepts]);
  const before = useMemo(() => log.earlier.filter(accepts), [log.earlier, accepts]);
  const listed = useMemo(() => [...agents.values()], [agents]);
  const { row } = moment;
  const earlier: Earlier = {
    events: before,
    hasMore: log.hasMore,
    isLoading: false,
    error: null,
    load: log.showMore,
    release: log.showLess,
  };
  const now = run === undefined ? (0 as Milliseconds) : timeOf(run.columns, row ?? 0);
  return { agents: listed, events, earlier, now, rate: null, row };
}

function agentsOf(agents: ReadonlyMap<string, AgentNow>, run: string): readonly AgentNow[] {
  const all = [...agents.values()];
  return run === "" ? all : all.filter((agent) => agent.runId === run);
}
