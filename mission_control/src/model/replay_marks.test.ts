import { describe, expect, it } from "vitest";
import { workingReplay } from "../testing/replay_sample.ts";
import { buildMarks, markAfter, markBefore } from "./replay_marks.ts";

describe("marks of a replay", () => {
  it("are decisions, changes and errors", () => {
    const columns = workingReplay(200);
    const marks = [...buildMarks(columns)];
    const expected = Array.from({ length: 200 }, (_, row) => row).filter((row) => {
      const kind = columns.kinds[columns.kind[row] ?? 0];
      return kind === "decision" || kind === "state_change" || columns.flag[row] === 1;
    });
    expect(marks).toEqual(expected);
  });

  it("lead to the next one on either side", () => {
    const marks = Int32Array.of(2, 5, 9);
    expect([markAfter(marks, 2), markAfter(marks, 3), markAfter(marks, 9)]).toEqual([
      5,
      5,
      undefined,
    ]);
    expect([markBefore(marks, 2), markBefore(marks, 6), markBefore(marks, 99)]).toEqual([
      undefined,
      5,
      9,
    ]);
  });
});
