import { render, screen, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import type { Task } from "../../services/trace_api.ts";
import { HARMLESS, HOSTILE } from "../../testing/answers.tsx";
import { TaskBoard } from "./index.tsx";

const task = (fields: Partial<Task>) =>
  ({ task_id: "t", title: "T", role: "coder", state: "DONE", attempt: 1, ...fields }) as Task;

function show(...tasks: Task[]) {
  return render(<TaskBoard tasks={tasks} selected="t2" hrefOf={(id) => `/open/${id}`} />);
}

describe("the board of tasks", () => {
  it("has each task in the column of its state, as a link that opens it", () => {
    show(task({ task_id: "t1", state: "READY" }), task({ task_id: "t2", attempt: 3 }));
    const waiting = screen.getByRole("region", { name: "Waiting" });
    expect(within(waiting).getByRole("link").getAttribute("href")).toBe("/open/t1");
    const done = within(screen.getByRole("region", { name: "Done" })).getByRole("link");
    expect(done.getAttribute("aria-current")).toBe("true");
    expect(done.textContent).toContain("attempt 3");
  });

  it("shows what others wrote as text", () => {
    const { container } = show(
      task({ title: HOSTILE, reason: HOSTILE, worker: HOSTILE, state: HOSTILE }),
    );
    expect(container.querySelector("img")).toBeNull();
    expect(screen.getAllByText(HARMLESS, { exact: false })).toHaveLength(4);
    expect(container.textContent).not.toContain("\u202e");
  });

  it("says that there are none", () => {
    show();
    expect(screen.getByText("This run has no tasks")).toBeTruthy();
  });
});
