/** The few sorts of events that pictures tell apart, each by a shape and a colour of its own. */
import type { Kind } from "../types/swarm_event.ts";

export const CATEGORY = {
  decision: 0,
  change: 1,
  signal: 2,
  tool: 3,
  model: 4,
  work: 5,
  other: 6,
} as const;

export type Category = (typeof CATEGORY)[keyof typeof CATEGORY];

export const CATEGORY_NAMES = [
  "decision",
  "change",
  "signal",
  "tool",
  "model",
  "work",
  "other",
] as const;

const CATEGORY_OF_KIND: ReadonlyMap<Kind, Category> = new Map<Kind, Category>([
  ["decision", CATEGORY.decision],
  ["state_change", CATEGORY.change],
  ["system_signal", CATEGORY.signal],
  ["tool_call", CATEGORY.tool],
  ["model_call", CATEGORY.model],
  ["task_transition", CATEGORY.work],
  ["run_transition", CATEGORY.work],
  ["workspace_created", CATEGORY.work],
]);

export function categoryOf(kind: Kind): Category {
  return CATEGORY_OF_KIND.get(kind) ?? CATEGORY.other;
}
