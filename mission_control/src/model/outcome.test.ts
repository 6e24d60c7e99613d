import { describe, expect, it } from "vitest";
import type { Task } from "../services/trace_api.ts";
import { outcomeOf } from "./outcome.ts";

const task = (fields: Partial<Task>) =>
  ({
    task_id: "t",
    title: "T",
    role: "coder",
    reason: "",
    result: null,
    unresolved: [],
    ...fields,
  }) as Task;

describe("the outcome of a run", () => {
  it("says what was accepted, what was left of it, and what was refused", () => {
    const lines = outcomeOf([
      task({ title: "Refused", state: "REFUSED", reason: "the tests fail" }),
      task({
        title: "Change",
        state: "DONE",
        result: { commit: "abc", files: ["a.py", "b.py"] },
        unresolved: ["line 3"],
      }),
      task({
        role: "architect",
        state: "DONE",
        result: { left_out: [{ title: "E501", reason: "no fix" }] },
      }),
      task({ state: "RUNNING" }),
    ]);
    expect(lines).toEqual([
      { kind: "accepted", title: "Change", text: "a.py, b.py", commit: "abc" },
      { kind: "refused", title: "Refused", text: "the tests fail", commit: "" },
      { kind: "refused", title: "Change", text: "line 3", commit: "" },
      { kind: "refused", title: "E501", text: "no fix", commit: "" },
    ]);
  });

  it("names a task that was done without a change", () => {
    const [line] = outcomeOf([task({ state: "DONE", result: {} })]);
    expect(line).toEqual({ kind: "refused", title: "T", text: "nothing to do", commit: "" });
  });

  it("is nothing where results say other things", () => {
    const result = { left_out: "x", commit: 3 };
    expect(outcomeOf([task({ role: "architect", state: "DONE", result })])).toEqual([]);
  });
});
