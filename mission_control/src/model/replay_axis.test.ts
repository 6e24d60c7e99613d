import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  buildAxis,
  fractionOfRow,
  LONGEST_PAUSE_MS,
  rowAtFraction,
  rowAtPosition,
} from "./replay_axis.ts";

const ascendingTimes = fc
  .array(fc.nat(10_000), { minLength: 1, maxLength: 50 })
  .map((steps) => steps.map((_, row) => steps.slice(0, row + 1).reduce((sum, ms) => sum + ms, 0)));

describe("the axis of a replay", () => {
  it("gives every row a place of its own, in order", () => {
    fc.assert(
      fc.property(ascendingTimes, (times) => {
        const { positions } = buildAxis(times);
        for (let row = 1; row < positions.length; row += 1) {
          expect(positions[row]).toBeGreaterThan(positions[row - 1] ?? Number.NaN);
        }
      }),
    );
  });

  it("finds every row again at its own place", () => {
    fc.assert(
      fc.property(ascendingTimes, (times) => {
        const axis = buildAxis(times);
        for (let row = 0; row < times.length; row += 1) {
          expect(rowAtPosition(axis, axis.positions[row] ?? 0)).toBe(row);
          expect(rowAtFraction(axis, fractionOfRow(axis, row))).toBe(row);
        }
      }),
    );
  });

  it("shortens a pause of a night", () => {
    expect(buildAxis([0, 100, 100 + 36_000_000]).length).toBe(100 + LONGEST_PAUSE_MS);
  });

  it("takes places outside of it as its ends", () => {
    const axis = buildAxis([0, 10, 20]);
    expect([rowAtFraction(axis, -1), rowAtFraction(axis, 7)]).toEqual([0, 2]);
  });

  it("has a length even for one row", () => {
    expect(buildAxis([5]).length).toBeGreaterThan(0);
  });
});
