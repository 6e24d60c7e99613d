import { describe, expect, it } from "vitest";
import { workingDocument } from "../testing/replay_sample.ts";
import { milliseconds } from "../types/units.ts";
import { lastRowAtTime, parseReplay, ReplayFormatError, timeOf } from "./replay_columns.ts";

describe("the columns of a replay", () => {
  it("are refused when one is shorter than the others", () => {
    const document = workingDocument(5);
    const columns = { ...document.columns, size: [1, 2] };
    expect(() => parseReplay({ ...document, columns })).toThrow(ReplayFormatError);
  });

  it("are refused when they name an agent that is not listed", () => {
    const document = workingDocument(5);
    expect(() => parseReplay({ ...document, agents: [] })).toThrow(/column agent/);
  });

  it("tell the last row at a time", () => {
    const columns = parseReplay(workingDocument(20));
    expect(lastRowAtTime(columns, timeOf(columns, 19))).toBe(19);
    expect(lastRowAtTime(columns, milliseconds(0))).toBe(-1);
  });
});
