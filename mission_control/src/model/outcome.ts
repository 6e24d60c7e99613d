/** What came of a run, told by how its tasks ended. Pure; `swarm run` tells it by the same rules. */

import type { JsonColumn, Task } from "../services/trace_api.ts";

export interface OutcomeLine {
  readonly kind: "accepted" | "refused";
  readonly title: string;
  /** Files of an accepted change, reason of what was refused. */
  readonly text: string;
  /** Empty for what was refused. */
  readonly commit: string;
}

const NOT_DONE = ["REFUSED", "DEAD", "CANCELLED"];

/** Return what was accepted, then what was refused or left out. */
export function outcomeOf(tasks: readonly Task[]): readonly OutcomeLine[] {
  const lines = tasks.flatMap(linesOf);
  return [
    ...lines.filter((line) => line.kind === "accepted"),
    ...lines.filter((line) => line.kind === "refused"),
  ];
}

function linesOf(task: Task): readonly OutcomeLine[] {
  const title = task.title || task.task_id;
  const result = task.result ?? {};
  if (NOT_DONE.includes(task.state)) return [refused(title, task.reason)];
  if (task.state !== "DONE") return [];
  if (isPlan(task)) {
    return listOf(result["left_out"]).map((one) =>
      refused(fieldOf(one, "title"), fieldOf(one, "reason")),
    );
  }
  const commit = textOf(result["commit"]);
  if (commit === "") return [refused(title, reasonOf(task))];
  const files = listOf(result["files"]).map(textOf).join(", ");
  const left = task.unresolved.map((reason) => refused(title, reason));
  return [{ kind: "accepted", title, text: files, commit }, ...left];
}

/** The plan changes no file; what it leaves out is all that comes of it. */
function isPlan(task: Task): boolean {
  return task.role.toLowerCase() === "architect";
}

function reasonOf(task: Task): string {
  return textOf(task.result?.["reason"]) || task.reason || "nothing to do";
}

function refused(title: string, text: string): OutcomeLine {
  return { kind: "refused", title, text, commit: "" };
}

function listOf(value: JsonColumn | undefined): readonly JsonColumn[] {
  return Array.isArray(value) ? value : [];
}

function textOf(value: JsonColumn | undefined): string {
  return typeof value === "string" ? value : "";
}

function fieldOf(value: JsonColumn, name: string): string {
  const isObject = value !== null && typeof value === "object" && !Array.isArray(value);
  return isObject ? textOf(value[name]) : "";
}
