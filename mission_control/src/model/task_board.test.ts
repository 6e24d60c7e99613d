import { expect, it } from "vitest";
import type { Task } from "../services/trace_api.ts";
import { boardOf } from "./task_board.ts";

it("shows each task in one column, whatever its state", () => {
  const states = ["PENDING", "READY", "RUNNING", "FAILED", "DONE", "REFUSED", "DEAD", "NEWER"];
  const tasks = states.map((state) => ({ state }) as Task);
  const columns = boardOf(tasks);
  expect(columns.flatMap((column) => column.tasks)).toHaveLength(states.length);
  expect(columns.map((column) => column.tasks.length)).toEqual([2, 3, 1, 2]);
});
