import { describe, expect, it } from "vitest";
import type { Span } from "../services/trace_api.ts";
import type { SwarmEventView } from "../types/swarm_event.ts";
import { ticksOf, waterfallOf } from "./waterfall.ts";

const BEGIN = 1_700_000_000_000;

function span(id: string, parent: string, offsetMs: number, lengthMs: number): Span {
  return {
    span_id: id,
    parent_span_id: parent,
    name: id,
    service: "s",
    kind: "Internal",
    start_ns: `${BEGIN + offsetMs}000000`,
    duration_ns: lengthMs * 1e6,
    status: "Unset",
    status_message: "",
    attributes: {},
    events: [],
  };
}

const event = (spanId: string, offsetMs: number) =>
  ({ id: `e${offsetMs}`, spanId, atMs: BEGIN + offsetMs }) as unknown as SwarmEventView;

describe("a waterfall", () => {
  it("shows children below their parents, in the order of their beginnings", () => {
    const spans = [span("c", "a", 50, 20), span("b", "a", 10, 20), span("a", "", 0, 100)];
    const { rows, durationMs } = waterfallOf(spans, []);
    expect(rows.map((row) => [row.span.span_id, row.depth])).toEqual([
      ["a", 0],
      ["b", 1],
      ["c", 1],
    ]);
    expect(durationMs).toBe(100);
    expect([rows[1]?.start, rows[1]?.share]).toEqual([0.1, 0.2]);
  });

  it("places events in their spans, and apart where the span is not known", () => {
    const { rows, loose } = waterfallOf([span("a", "", 0, 100)], [event("a", 25), event("z", 75)]);
    expect(rows[0]?.events.map((placed) => placed.at)).toEqual([0.25]);
    expect(loose.map((placed) => placed.at)).toEqual([0.75]);
  });

  it("lists each span once, also where spans are each other's parents", () => {
    const spans = [span("a", "b", 0, 10), span("b", "a", 1, 10), span("c", "missing", 2, 1)];
    const { rows } = waterfallOf(spans, []);
    expect(rows.map((row) => row.span.span_id).sort()).toEqual(["a", "b", "c"]);
  });

  it("takes its length from events where no span has ended", () => {
    const { durationMs, loose } = waterfallOf([], [event("a", 0), event("a", 40)]);
    expect([durationMs, loose.length]).toEqual([40, 2]);
  });
});

describe("the axis", () => {
  it.each([
    [100, 5, [0, 20, 40, 60, 80, 100]],
    [0, 5, [0]],
    [7, 4, [0, 2, 4, 6]],
  ])("of %d ms in %d parts", (durationMs, count, ticks) =>
    expect(ticksOf(durationMs, count)).toEqual(ticks),
  );
});
