import { describe, expect, it } from "vitest";
import { BIN_COUNT, counted, movedTo, NO_RATE } from "./rate.ts";

describe("the rate of events", () => {
  it("counts each event in the second in which it was stored", () => {
    const bins = counted(NO_RATE, [98_000, 99_100, 99_900], 100_000);
    expect(bins.counts.slice(-3)).toEqual([1, 2, 0]);
  });

  it("leaves out what is older than a minute, and takes the future for now", () => {
    const bins = counted(NO_RATE, [1_000, 250_000], 100_000);
    expect(bins.counts.reduce((sum, count) => sum + count)).toBe(1);
    expect(bins.counts.at(-1)).toBe(1);
  });

  it("falls to nothing while nothing happens", () => {
    const busy = counted(NO_RATE, [100_000], 100_000);
    expect(movedTo(busy, 101).counts.at(-2)).toBe(1);
    expect(movedTo(busy, 100 + BIN_COUNT).counts).toEqual(NO_RATE.counts);
  });
});
