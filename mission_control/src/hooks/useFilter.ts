import { useMemo } from "react";
import { type EventFilter, isFiltering, NO_FILTER } from "../model/filter.ts";
import { useUrlState } from "./useUrlState.ts";

/** Names in the address, which are part of links that people keep. */
const NAMES: Readonly<Record<keyof EventFilter, string>> = {
  role: "role",
  agent: "agent",
  kind: "kind",
  run: "run",
  text: "q",
};

export interface FilterState {
  readonly filter: EventFilter;
  readonly isFiltering: boolean;
  readonly change: (change: Partial<EventFilter>) => void;
  readonly clear: () => void;
}

/** Return which events are chosen, as the address bar says, and how to choose others. */
export function useFilter(): FilterState {
  const { get, set } = useUrlState();
  const role = get(NAMES.role).toUpperCase();
  const agent = get(NAMES.agent);
  const kind = get(NAMES.kind);
  const run = get(NAMES.run);
  const text = get(NAMES.text);
  const filter = useMemo(() => ({ role, agent, kind, run, text }), [role, agent, kind, run, text]);
  const change = (changed: Partial<EventFilter>) => set(named(changed));
  return {
    filter,
    isFiltering: isFiltering({ ...filter, run: "" }),
    change,
    clear: () => change({ ...NO_FILTER, run }),
  };
}

function named(changed: Partial<EventFilter>): Record<string, string> {
  const entries = Object.entries(changed) as [keyof EventFilter, string][];
  return Object.fromEntries(
    entries.map(([name, value]) => [NAMES[name], name === "role" ? value.toLowerCase() : value]),
  );
}
