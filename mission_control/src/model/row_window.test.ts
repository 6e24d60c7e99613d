import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { rowWindow, topToShow } from "./row_window.ts";

const list = fc.record({
  count: fc.nat(60_000),
  rowHeight: fc.integer({ min: 20, max: 50 }),
  height: fc.nat(2_000),
  top: fc.option(fc.nat(3_000_000)),
});

describe("the window of a list", () => {
  it("holds every row that is seen, and a bounded number of others", () => {
    fc.assert(
      fc.property(list, (scrolled) => {
        const { count, rowHeight, height, top } = scrolled;
        const { from, to } = rowWindow(scrolled);
        const end = count * rowHeight;
        const seenFrom = Math.min(top ?? end, Math.max(end - height, 0));
        expect(from * rowHeight).toBeLessThanOrEqual(seenFrom);
        expect(to * rowHeight).toBeGreaterThanOrEqual(Math.min(seenFrom + height, end));
        expect(to - from).toBeLessThanOrEqual(height / rowHeight + 26);
      }),
    );
  });

  it("is as long with each row more while the end is in view", () => {
    const at = (count: number) => rowWindow({ count, rowHeight: 28, height: 500, top: null });
    expect(at(1_001)).toEqual({ from: at(1_000).from + 1, to: at(1_000).to + 1 });
  });
});

describe("a row that is gone to", () => {
  it.each([
    [2, 56],
    [5, null],
    [30, 31 * 28 - 280],
  ])("%i is shown by scrolling to %s", (row, top) => {
    expect(topToShow(row, { count: 100, rowHeight: 28, height: 280, top: 100 })).toBe(top);
  });
});
