import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import type { Task } from "../../services/trace_api.ts";
import { HARMLESS, HOSTILE } from "../../testing/answers.tsx";
import { PlanGraph } from "./index.tsx";

const task = (task_id: string, depends_on: string[], title = task_id) =>
  ({ task_id, title, depends_on, role: "coder", state: "READY" }) as unknown as Task;

function show(...tasks: Task[]) {
  return render(<PlanGraph tasks={tasks} selected="b" hrefOf={(id) => `/open/${id}`} />);
}

describe("the graph of a plan", () => {
  it("draws a line from each task to those that wait for it, and says it in words", () => {
    const { container } = show(task("a", []), task("b", ["a"]), task("c", ["a", "b"]));
    expect(container.querySelectorAll(".plan-graph-room > svg path")).toHaveLength(3);
    expect(screen.getByText("waits for a, b").closest("[href='/open/c']")).toBeTruthy();
  });

  it("is walked by keyboard, in the order of the plan", async () => {
    show(task("a", []), task("b", ["a"]));
    await userEvent.tab();
    await userEvent.tab();
    await userEvent.tab();
    expect(document.activeElement?.getAttribute("href")).toBe("/open/b");
  });

  it("shows what others wrote as text, ids and dependencies included", () => {
    const { container } = show(task(HOSTILE, [], ""), task("b", [HOSTILE]));
    expect(container.querySelector("img")).toBeNull();
    expect(container.textContent).toContain(HARMLESS);
    expect(container.textContent).not.toContain("\u202e");
  });
});
