/** What the workspaces of a run are called, for people. Pure. */

import type { RunDetail, Task } from "../services/trace_api.ts";
import { safeLine } from "./safe_text.ts";

type Workspace = RunDetail["workspaces"][number];

const NAME_LENGTH = 80;

/** Return a name for each workspace, by its id; no two are the same. */
export function workspaceNames(
  run: Pick<RunDetail, "run_id" | "workspaces" | "tasks">,
): ReadonlyMap<string, string> {
  const tasks = new Map(run.tasks.map((task) => [task.task_id, task]));
  const counts = new Map<string, number>();
  const names = new Map<string, string>();
  for (const workspace of run.workspaces) {
    const name = nameOf(workspace, run.run_id, tasks);
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    names.set(workspace.workspace_id, count > 1 ? `${name} (${count})` : name);
  }
  return names;
}

function nameOf(
  { workspace_id: id, task_id, agent_id }: Workspace,
  runId: string,
  tasks: ReadonlyMap<string, Task>,
): string {
  if (id === runId) return "The run's branch";
  const own = id.startsWith(`${runId}/`) ? id.slice(runId.length + 1) : id;
  const what = task_id ? tasks.get(task_id)?.title || task_id : own;
  const doing = task_id && own.startsWith("review-") ? "review of " : "";
  return safeLine([agent_id, doing + what].filter(Boolean).join(": "), NAME_LENGTH);
}
