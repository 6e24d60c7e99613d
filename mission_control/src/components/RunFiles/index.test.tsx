import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it } from "vitest";
import type { RunDetail } from "../../services/trace_api.ts";
import { HARMLESS, HOSTILE, layOut, renderWith } from "../../testing/answers.tsx";
import { RunFiles } from "./index.tsx";

const file = (name: string, changes: number) => ({ name, changes, size_bytes: 5 });
const workspace = (workspace_id: string, agent_id: string) => ({
  workspace_id,
  agent_id,
  task_id: "",
  changes: 1,
});

function show(items: readonly object[], workspaces = [workspace("r", ""), workspace("r/x", "a")]) {
  const run = { run_id: "r", last_event_at: "", tasks: [], workspaces } as unknown as RunDetail;
  const hrefOf = (id: string) => `/open/${id}`;
  return renderWith({ resources: { items } }, <RunFiles run={run} hrefOf={hrefOf} />);
}

beforeEach(() => {
  layOut();
  window.history.replaceState(null, "", "/");
});

describe("the files of a run", () => {
  it("are those that were changed, and all of them when asked for", async () => {
    show([file("a.py", 2), file("b.py", 0)]);
    expect((await screen.findAllByRole("treeitem")).map((one) => one.textContent)).toEqual([
      "a.py2× 5 B",
    ]);
    await userEvent.click(screen.getByRole("button", { name: "All 2 files" }));
    expect(screen.getAllByRole("treeitem")).toHaveLength(2);
  });

  it("are those of the workspace that is chosen by its name", async () => {
    show([file("a.py", 1)]);
    await userEvent.selectOptions(await screen.findByLabelText("Workspace"), "a: x");
    expect(window.location.search).toBe("?workspace=r%2Fx");
  });

  it("open by keyboard", async () => {
    show([file("a.py", 1)]);
    (await screen.findByRole("tree")).focus();
    await userEvent.keyboard("{End}{Enter}");
    expect(window.location.search).toBe("?file=a.py");
  });

  it("have names that stay text", async () => {
    const { container } = show([file(HOSTILE.replace("/", ""), 1)]);
    expect((await screen.findByRole("treeitem")).textContent).toContain(HARMLESS);
    expect(container.querySelector("img")).toBeNull();
  });

  it("may be none at all", () => {
    show([], []);
    expect(screen.getByText("This run has no workspace")).toBeTruthy();
  });
});
