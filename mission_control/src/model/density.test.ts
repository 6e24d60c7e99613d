import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { anyReplay, workingReplay } from "../testing/replay_sample.ts";
import { barHeight, buildDensity } from "./density.ts";
import { buildAxis } from "./replay_axis.ts";

const sum = (counts: Uint32Array) => counts.reduce((total, count) => total + count, 0);

describe("the density of a run", () => {
  it("counts every row once, in any number of buckets", () => {
    fc.assert(
      fc.property(anyReplay(80), fc.integer({ min: 1, max: 300 }), (columns, buckets) => {
        const density = buildDensity(columns, buildAxis(columns.timeMs), buckets);
        const decisions = columns.kinds.indexOf("decision");
        expect(sum(density.events)).toBe(columns.rows);
        expect(sum(density.errors)).toBe(columns.flag.filter((flag) => flag === 1).length);
        expect(sum(density.decisions)).toBe(columns.kind.filter((k) => k === decisions).length);
      }),
    );
  });

  it("puts the first row into the first bucket and the last into the last", () => {
    const columns = workingReplay(1_000);
    const { events } = buildDensity(columns, buildAxis(columns.timeMs), 50);
    expect([events[0], events[49]].every((count) => (count ?? 0) > 0)).toBe(true);
  });

  it("draws few beside many visibly", () => {
    expect(barHeight(1, 100)).toBe(0.1);
    expect(barHeight(100, 100)).toBe(1);
  });
});
