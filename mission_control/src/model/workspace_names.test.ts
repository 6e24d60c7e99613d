import { describe, expect, it } from "vitest";
import type { RunDetail } from "../services/trace_api.ts";
import { workspaceNames } from "./workspace_names.ts";

const made = (workspace_id: string, agent_id = "", task_id = "") => ({
  workspace_id,
  agent_id,
  task_id,
  changes: 1,
});

describe("names of workspaces", () => {
  it("say the task and the agent of a work tree, and are never the same", () => {
    const tasks = [{ task_id: "t1", title: "Unused imports" }] as unknown as RunDetail["tasks"];
    const workspaces = [
      made("r", "swarm-run"),
      made("r/t1-12", "coder-1", "t1"),
      made("r/t1-19", "coder-1", "t1"),
      made("r/review-26", "reviewer-1", "t1"),
      made("r/t2-30", "coder-2", "t2"),
      made("elsewhere\u202e"),
    ];
    expect([...workspaceNames({ run_id: "r", tasks, workspaces }).values()]).toEqual([
      "The run's branch",
      "coder-1: Unused imports",
      "coder-1: Unused imports (2)",
      "reviewer-1: review of Unused imports",
      "coder-2: t2",
      "elsewhere‹U+202E›",
    ]);
  });
});
