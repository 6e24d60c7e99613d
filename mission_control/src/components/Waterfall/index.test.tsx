import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { waterfallOf } from "../../model/waterfall.ts";
import type { Span } from "../../services/trace_api.ts";
import { agentEvent } from "../../testing/agent_events.ts";
import { HARMLESS, HOSTILE, layOut } from "../../testing/answers.tsx";
import { Waterfall } from "./index.tsx";

const [onSpan, onEvent] = [vi.fn(), vi.fn()];

const span = (span_id: string, name: string, status = "Unset") =>
  ({ span_id, name, status, parent_span_id: "", start_ns: "0", duration_ns: 1e9 }) as Span;

function show(spans: readonly Span[], selectedSpan = "", events = [] as never[]) {
  const waterfall = waterfallOf(spans, events);
  return render(<Waterfall {...{ waterfall, selectedSpan, onSpan, onEvent }} selectedEvent="" />);
}

beforeEach(layOut);

describe("the waterfall of a trace", () => {
  it("says which spans there are, how long they took, and which failed", () => {
    show([span("a", "read"), span("b", "write", "Error")]);
    const names = screen.getAllByRole("option").map((option) => option.textContent);
    expect(names[0]).toContain("read1.00 s");
    expect(names[1]).toContain("failed: write");
  });

  it("goes from span to span by keys", async () => {
    show([span("a", "read"), span("b", "write")], "a");
    screen.getByRole("listbox").focus();
    await userEvent.keyboard("{ArrowDown}{Home}");
    expect(onSpan.mock.calls).toEqual([["b"], ["a"]]);
  });

  it("opens an event that is in no span", async () => {
    const event = agentEvent({ case: "decision", value: { rationale: "why" } });
    const { container } = show([span("a", "read")], "", [event] as never[]);
    const mark = container.querySelector(".waterfall-loose .waterfall-event");
    await userEvent.click(mark as Element);
    expect(onEvent).toHaveBeenCalledWith(event.id);
  });

  it("shows names as text, in its titles, too", () => {
    const { container } = show([span("a", HOSTILE)]);
    expect(container.querySelector("img")).toBeNull();
    expect(screen.getByTitle(HARMLESS)).toBeTruthy();
  });
});
