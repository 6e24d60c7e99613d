/** Everything that a page shows of a run at a moment, in the shapes in which it shows the present. */
import { useMemo } from "react";
import type { ReplayRun } from "../model/replay.ts";
import { agentsAt } from "../model/replay_agents.ts";
import type { AgentNow } from "../types/live.ts";
import { type MomentEvents, useMomentEvents } from "./useMomentEvents.ts";
import { type ReplayMoment, useReplayMoment, useReplayRun } from "./useReplay.ts";
import { useUrlState } from "./useUrlState.ts";

export interface TimeTravel {
  readonly runId: string;
  readonly run: ReplayRun | undefined;
  readonly moment: ReplayMoment;
  /** The page shows a past moment, or is about to. */
  readonly isPast: boolean;
  readonly isLoading: boolean;
  readonly error: unknown;
  /** Fetches what the run has grown by, or what could not be fetched before. */
  readonly reload: () => void;
  /** Agents that had spoken by the moment. */
  readonly agents: ReadonlyMap<string, AgentNow>;
  readonly log: MomentEvents;
}

const NO_AGENTS: ReadonlyMap<string, AgentNow> = new Map();

/** `isOpen`: the run is wanted although no moment of it is chosen yet. */
export function useTimeTravel(runId: string, isOpen: boolean): TimeTravel {
  const isPast = useUrlState().get("at") !== "" && runId !== "";
  const query = useReplayRun(runId, isOpen || isPast);
  const run = query.data;
  const moment = useReplayMoment(run);
  const log = useMomentEvents(run, moment.row);
  const { state } = moment;
  const agents = useMemo(
    () => (run && state ? agentsAt(run.columns, state, log.known) : NO_AGENTS),
    [run, state, log.known],
  );
  return {
    runId,
    run,
    moment,
    isPast: isPast || moment.row !== null,
    isLoading: query.isLoading,
    error: query.error,
    reload: () => void query.refetch(),
    agents,
    log,
  };
}
