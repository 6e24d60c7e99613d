/** A run that is scrubbed through: its history, the moment shown, and how to get to another. */
import { useQuery } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useState } from "react";
import { buildReplay, type ReplayRun } from "../model/replay.ts";
import { placeOf, timeOf } from "../model/replay_columns.ts";
import type { ReplayState } from "../model/replay_index.ts";
import { formatMoment, parseMoment, rowOfPlace } from "../model/replay_moment.ts";
import { queryKey, traceApi } from "../services/trace_api.ts";
import { changeUrl, useUrlState } from "./useUrlState.ts";

/** Name of the parameter that holds the moment. */
const AT = "at";
/** The address follows a moving slider this late: browsers allow few changes of it. */
const ADDRESS_DELAY_MS = 200;
/** A run that said nothing for this long is taken for over. */
const SILENT_MS = 60_000;
const REFRESH_MS = 5_000;

export interface ReplayMoment {
  /** Row of the moment; null: now. */
  readonly row: number | null;
  readonly state: ReplayState | null;
  readonly seek: (row: number) => void;
  /** Back to now. */
  readonly leave: () => void;
}

/** The history of a run, fetched while it `isWanted`, and again while it goes on. */
export function useReplayRun(runId: string, isWanted: boolean) {
  return useQuery({
    queryKey: queryKey("replay", runId),
    queryFn: async ({ signal }) => buildReplay(await traceApi.replay(runId, {}, signal)),
    enabled: isWanted && runId !== "",
    structuralSharing: false,
    staleTime: 60_000,
    refetchInterval: (query) => refreshAfter(query.state.data, Date.now()),
  });
}

/** How soon a run that goes on is asked for again, the later the longer it is; false: it is over. */
function refreshAfter(run: ReplayRun | undefined, nowMs: number): number | false {
  if (run === undefined || run.columns.rows === 0) return REFRESH_MS;
  const { columns } = run;
  if (nowMs - timeOf(columns, columns.rows - 1) > SILENT_MS) return false;
  return REFRESH_MS + columns.rows;
}

/** The moment of a run that the address names, or that the slider has just moved to. */
export function useReplayMoment(run: ReplayRun | undefined): ReplayMoment {
  const at = useUrlState().get(AT);
  const [scrubbed, setScrubbed] = useState<Scrubbed | null>(null);
  const address = useLateAddress();
  const addressed = useMemo(() => rowOfText(run, at), [run, at]);
  const isScrubbed = scrubbed?.run === run && address.isUnchanged(at);
  const row = isScrubbed ? (scrubbed?.row ?? null) : addressed;
  const state = useMemo(
    () => (run === undefined || row === null ? null : run.index.stateAt(row)),
    [run, row],
  );
  const seek = useCallback(
    (to: number) => {
      if (run === undefined || run.columns.rows === 0) return;
      const next = Math.min(Math.max(Math.round(to), 0), run.columns.rows - 1);
      setScrubbed({ run, row: next });
      address.write(formatMoment(placeOf(run.columns, next)));
    },
    [run, address],
  );
  const leave = useCallback(() => {
    setScrubbed(null);
    address.cancel();
    changeUrl({ [AT]: null });
  }, [address]);
  return { row, state, seek, leave };
}

/** A moment that the slider has moved to, and that the address may not name yet. */
interface Scrubbed {
  readonly run: ReplayRun;
  readonly row: number;
}

function rowOfText(run: ReplayRun | undefined, at: string): number | null {
  const place = parseMoment(at);
  if (run === undefined || place === null || run.columns.rows === 0) return null;
  return Math.max(rowOfPlace(run.columns, place), 0);
}

interface LateAddress {
  readonly write: (at: string) => void;
  readonly cancel: () => void;
  /** Whether the address still says what it did at the last `write`, or what that wrote. */
  readonly isUnchanged: (at: string) => boolean;
}

/** The address as a slider may write it: not with every step, but always with the last. */
function useLateAddress(): LateAddress {
  const [address] = useState(() => new AddressWriter());
  useEffect(() => address.cancel, [address]);
  return address;
}

class AddressWriter implements LateAddress {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #wanted = "";
  #said = "";

  readonly write = (at: string): void => {
    this.#wanted = at;
    this.#said = new URLSearchParams(window.location.search).get(AT) ?? "";
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#said = this.#wanted;
      changeUrl({ [AT]: this.#wanted });
    }, ADDRESS_DELAY_MS);
  };

  readonly cancel = (): void => {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  };

  readonly isUnchanged = (at: string): boolean => at === this.#said;
}
