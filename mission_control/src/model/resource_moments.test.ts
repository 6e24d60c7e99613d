import { describe, expect, it } from "vitest";
import type { ResourceChange } from "../services/trace_api.ts";
import { indexOfMoment, momentsOf } from "./resource_moments.ts";

const change = (seq: number, previous: string, next: string) =>
  ({
    event_id: `e${seq}`,
    stream: "S",
    stream_seq: seq,
    at: "2026-01-01T00:00:00Z",
    agent_id: "coder",
    previous,
    new: next,
  }) as ResourceChange;
const MOMENTS = momentsOf([change(3, "", "a"), change(7, "a", "b"), change(9, "b", "")]);

describe("the moments of a resource", () => {
  it("begin with what was there before the first change", () => {
    expect(MOMENTS.map((moment) => moment.digest)).toEqual(["", "a", "b", ""]);
    expect(MOMENTS[0]?.label).toBe("before it existed");
    expect(MOMENTS[3]?.label).toContain("deleted");
  });

  it.each([
    ["e7", null, 2],
    ["start", null, 0],
    ["", { stream: "S", seq: 8 }, 2],
    ["", { stream: "S", seq: 2 }, -1],
    ["", { stream: "other", seq: 8 }, -1],
    ["gone", null, -1],
  ])("are found by event %s or place %o", (id, at, index) =>
    expect(indexOfMoment(MOMENTS, id, at)).toBe(index),
  );
});
