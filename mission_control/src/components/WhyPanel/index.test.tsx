import { screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import type { EventRow, Why } from "../../services/trace_api.ts";
import { HARMLESS, HOSTILE, renderWith } from "../../testing/answers.tsx";
import { WhyPanel } from "./index.tsx";

const row = (kind: string, fields: object = {}) =>
  ({
    event_id: "01939f2c-7b1e-7c3a-9d52-000000000001",
    event_time: "2026-01-01T00:00:00Z",
    stream: "S",
    stream_seq: 1,
    kind,
    agent_role: "CODER",
    agent_id: "coder-1",
    ...fields,
  }) as unknown as EventRow;
const told: Why = {
  resource: "a.py",
  workspace_id: "w",
  line: 3,
  text: "x = 1",
  written_by: "change",
  is_certain: true,
  change: row("state_change", { target_resource: "a.py" }),
  start: null,
  decision: row("decision", { rationale: "because" }),
  is_decision_recorded: true,
  rejected_alternatives: ["leave it"],
  memory_ids: [],
  causes: [],
};

function show(why: Partial<Why> | Error) {
  const answer = why instanceof Error ? why : { ...told, ...why };
  return renderWith(
    { why: answer },
    <WhyPanel resource="a.py" line={3} workspaceId="w" at="" hrefOf={(id) => `/open/${id}`} />,
  );
}

describe("why a line is as it is", () => {
  it("names the change, the decision and what was refused", async () => {
    show({});
    expect(await screen.findAllByText("because")).toHaveLength(2);
    expect(screen.getByText("Decided by")).toBeTruthy();
    expect(screen.getByText("leave it")).toBeTruthy();
    expect(screen.getAllByRole("link")[0]?.getAttribute("href")).toMatch(/^\/open\/01939f2c/);
  });

  it.each([
    [{ is_decision_recorded: false }, "Decided before, not named as its cause"],
    [{ written_by: "outside" }, /Something outside the swarm wrote it/],
    [{ written_by: "start", start: { base_commit: "abcdef" } }, /when the workspace began/],
    [{ is_certain: false }, /Likely, not proven/],
  ] as const)("says how sure that is: %o", async (fields, words) => {
    show(fields as Partial<Why>);
    expect(await screen.findByText(words)).toBeTruthy();
  });

  it("shows what others wrote as text", async () => {
    const decision = row("decision", { rationale: HOSTILE });
    const { container } = show({ text: HOSTILE, decision, rejected_alternatives: [HOSTILE] });
    expect(await screen.findAllByText(HARMLESS)).toHaveLength(4);
    expect(container.querySelector("img")).toBeNull();
  });

  it("says that it could not be asked", async () => {
    show(new Error("history is away"));
    expect((await screen.findByRole("alert")).textContent).toContain("history is away");
  });
});
