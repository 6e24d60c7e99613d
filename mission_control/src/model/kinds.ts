/** Names and signs of kinds and roles, as lists show them. Pure. */

import type { Kind, Role } from "../types/swarm_event.ts";
import { type Category, categoryOf } from "./event_category.ts";

export const ROLES: readonly Role[] = ["ARCHITECT", "CODER", "REVIEWER", "OPERATOR"];

/** Kinds that can be chosen; others are shown, too, under their own names. */
export const KINDS: readonly Kind[] = [
  "decision",
  "state_change",
  "system_signal",
  "tool_call",
  "model_call",
  "task_transition",
  "run_transition",
  "workspace_created",
  "tombstone",
  "unknown",
  "undecodable",
];

/** A sign per sort of event, drawn on a grid of 16; each can be told from the others without colour. */
const SIGNS: Readonly<Record<Category, string>> = {
  0: "M8 1.5 14.5 8 8 14.5 1.5 8z",
  1: "M3 3h10v10H3z",
  2: "M1.5 8h3.5l2-5 2.5 10 2-5h3",
  3: "M8 2.5 14 13H2z",
  4: "M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11z",
  5: "M2.5 4.5h11M2.5 8h11M2.5 11.5h7",
  6: "M8 4v8M4 8h8",
};

const NAMES: Readonly<Record<Kind, string>> = {
  state_change: "change",
  system_signal: "signal",
  tool_call: "tool",
  model_call: "model",
  task_transition: "task",
  run_transition: "run",
  workspace_created: "workspace",
};

/** Return the outline of a kind's sign. */
export function signOf(kind: Kind): string {
  return SIGNS[categoryOf(kind)];
}

/** Return a kind in a word or two. */
export function nameOf(kind: Kind): string {
  return NAMES[kind] ?? kind.replaceAll("_", " ");
}

/** Return the end of the CSS names of a role: `--role-coder`. */
export function roleToken(role: Role): string {
  return ROLES.includes(role) ? role.toLowerCase() : "unspecified";
}
