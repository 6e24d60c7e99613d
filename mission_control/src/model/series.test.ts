import { describe, expect, it } from "vitest";
import type { SqlResult } from "../services/trace_api.ts";
import { axisOf, chartOf } from "./series.ts";

function result(types: readonly string[], rows: SqlResult["rows"]): SqlResult {
  const columns = types.map((type, index) => ({ name: `c${index}`, type }));
  return { columns, rows, elapsed_ms: 1, truncated: false };
}

describe("the chart of a result", () => {
  it("is a line over times, in proportion to them", () => {
    const chart = chartOf(
      result(
        ["DateTime64(3, 'UTC')", "UInt64"],
        [
          ["2026-01-01T00:00:00Z", 1],
          ["2026-01-01T00:00:01Z", 2],
          ["2026-01-01T00:00:04Z", null],
        ],
      ),
    );
    expect(chart?.form).toBe("line");
    expect(chart?.places).toEqual([0, 0.25, 1]);
    expect(chart?.series[0]?.values).toEqual([1, 2, null]);
  });

  it("is bars over names", () => {
    const rows = [
      ["coder", 3],
      ["reviewer", 1],
    ];
    expect(chartOf(result(["LowCardinality(String)", "UInt64"], rows))?.form).toBe("bars");
  });

  it.each([
    [
      "text that stands beside the numbers",
      ["String", "UInt64", "String"],
      [
        ["a", 1, "x"],
        ["b", 2, "y"],
      ],
    ],
    ["a single row", ["String", "UInt64"], [["a", 1]]],
    [
      "times out of order",
      ["DateTime", "UInt64"],
      [
        ["2026-01-02", 1],
        ["2026-01-01", 2],
        ["2026-01-03", 2],
      ],
    ],
    [
      "times that are none",
      ["DateTime", "UInt64"],
      [
        ["x", 1],
        ["y", 2],
      ],
    ],
  ])("is none of %s", (_, types, rows) =>
    expect(chartOf(result(types as string[], rows as SqlResult["rows"]))).toBeNull(),
  );
});

describe("the axis of a chart", () => {
  it.each([
    [0, [0, 1]],
    [4, [0, 1, 2, 3, 4]],
    [95, [0, 20, 40, 60, 80, 100]],
  ])("up to %d", (highest, axis) => expect(axisOf(highest)).toEqual(axis));
});
