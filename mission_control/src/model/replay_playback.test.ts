import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { buildAxis } from "./replay_axis.ts";
import { advancePlayback, SPEEDS, startPlayback } from "./replay_playback.ts";

const axis = buildAxis([0, 1_000, 2_000, 3_000]);

describe("playing a run", () => {
  it("shows a row when as much time has passed as did then", () => {
    const start = startPlayback(axis, 0);
    expect(advancePlayback(axis, start, "1", 999).row).toBe(0);
    expect(advancePlayback(axis, start, "1", 1_000).row).toBe(1);
  });

  it("is ten times as fast at tenfold speed", () => {
    expect(advancePlayback(axis, startPlayback(axis, 0), "10", 200).row).toBe(2);
  });

  it("starts again when it stands at the end", () => {
    expect(startPlayback(axis, 3)).toMatchObject({ row: 0, isOver: false });
  });

  it("ends at the last row and goes no further", () => {
    const over = advancePlayback(axis, startPlayback(axis, 2), "max", 60_000);
    expect(over).toMatchObject({ row: 3, isOver: true });
    expect(advancePlayback(axis, over, "1", 1_000)).toEqual(over);
  });

  it("comes to the same place in many frames as in one", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(40)), fc.constantFrom(...SPEEDS), (frames, speed) => {
        const start = startPlayback(axis, 0);
        const stepped = frames.reduce((at, ms) => advancePlayback(axis, at, speed, ms), start);
        const total = frames.reduce((sum, ms) => sum + ms, 0);
        const atOnce = advancePlayback(axis, start, speed, total);
        expect(stepped.position).toBeCloseTo(atOnce.position, 6);
      }),
    );
  });
});
