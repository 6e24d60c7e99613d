/** The stages that tasks go through, as columns of a board. Pure. */

import type { Task } from "../services/trace_api.ts";

export interface TaskColumn {
  readonly name: string;
  readonly tasks: readonly Task[];
}

const COLUMNS: readonly (readonly [string, readonly string[]])[] = [
  ["Waiting", ["PENDING", "READY"]],
  ["At work", ["RUNNING", "REVIEW", "FAILED"]],
  ["Done", ["DONE"]],
  ["Not done", ["REFUSED", "DEAD", "CANCELLED"]],
];

/** Return the columns; a task in a state that is new here stands with those at work. */
export function boardOf(tasks: readonly Task[]): readonly TaskColumn[] {
  const known = new Set(COLUMNS.flatMap(([, states]) => states));
  return COLUMNS.map(([name, states]) => ({
    name,
    tasks: tasks.filter(
      ({ state }) => states.includes(state) || (name === "At work" && !known.has(state)),
    ),
  }));
}
