import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";
import { withEvents } from "../../model/agents.ts";
import { agentEvent, signal } from "../../testing/agent_events.ts";
import type { SwarmEventView } from "../../types/swarm_event.ts";
import { milliseconds } from "../../types/units.ts";
import { AgentCard } from "./index.tsx";

const onSelect = vi.fn();

function show(isSilent: boolean, ...events: SwarmEventView[]) {
  const agent = withEvents(new Map(), events, 10).get("a");
  if (!agent) throw new Error("no event is of agent a");
  const now = milliseconds(6_000);
  render(<AgentCard {...{ agent, now, isSilent, onSelect }} isSelected={false} />);
  return screen.getByRole("button").textContent;
}

describe("the card of an agent", () => {
  it("says how it is, why it did what, and when it was heard", () => {
    const why = agentEvent({ case: "decision", value: { rationale: "because" } });
    const text = show(false, signal("HEALTHY", 42), why);
    expect(text).toContain("working");
    expect(text).toContain("because");
    expect(text).toContain("42 %");
    expect(text).toContain("heard 5 s ago");
  });

  it("is at work once it has done something after its start", () => {
    expect(show(false, signal("STARTING", 1))).toContain("starting");
    cleanup();
    const tool = agentEvent({ case: "toolCall", value: { toolName: "read_file" } });
    expect(show(false, signal("STARTING", 1), tool)).toContain("working");
  });

  it("says what it failed with instead", () => {
    const text = show(false, signal("CRITICAL_FAILURE", 0, "out of memory"));
    expect(text).toContain("failed");
    expect(text).toContain("out of memory");
  });

  it("says that nothing was heard", () => {
    expect(show(true, signal("HEALTHY", 1))).toContain("silent");
  });

  it("chooses its agent", () => {
    show(false, signal("HEALTHY", 1));
    fireEvent.click(screen.getByRole("button"));
    expect(onSelect).toHaveBeenCalledWith("a");
  });
});
