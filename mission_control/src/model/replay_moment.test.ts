import { describe, expect, it } from "vitest";
import { workingReplay } from "../testing/replay_sample.ts";
import { sequence } from "../types/units.ts";
import { placeOf } from "./replay_columns.ts";
import {
  EVENTS_STREAM,
  formatAt,
  formatMoment,
  parseMoment,
  restoreCommand,
  rowOfPlace,
  workspacesOf,
} from "./replay_moment.ts";

const columns = workingReplay(60);

describe("a moment in the address", () => {
  it.each([
    { stream: EVENTS_STREAM, seq: sequence(12) },
    { stream: "SWARM_COORDINATION", seq: sequence(7) },
  ])("reads back as what was written: $stream", (place) => {
    expect(parseMoment(formatMoment(place))).toEqual(place);
  });

  it.each(["", "0", "-1", "1.5", "12x", "#12", "A-", "99999999999999999", "<b>-1"])(
    "is none when it reads %j",
    (text) => {
      expect(parseMoment(text)).toBeNull();
    },
  );

  it("finds the row of every event of the run", () => {
    for (let row = 0; row < columns.rows; row += 1) {
      expect(rowOfPlace(columns, placeOf(columns, row))).toBe(row);
    }
  });

  it("shows the run as it was when an event of another run happened", () => {
    const { seq } = placeOf(columns, 3);
    expect(rowOfPlace(columns, { stream: EVENTS_STREAM, seq: sequence(seq + 1) })).toBe(3);
  });

  it("names no row before the run began", () => {
    expect(rowOfPlace(columns, { stream: EVENTS_STREAM, seq: sequence(1) })).toBe(-1);
    expect(rowOfPlace(columns, { stream: "OTHER", seq: sequence(9) })).toBe(-1);
  });
});

describe("the command that restores", () => {
  it("quotes what a shell would take as a comment", () => {
    expect(restoreCommand(columns, 2, "run-1")).toBe(
      "swarm restore --at '#9' --workspace run-1 --to restored-9",
    );
  });

  it("names the stream of an event that is not in the usual one", () => {
    expect(formatAt(placeOf(columns, 4))).toBe("SWARM_COORDINATION#3");
  });

  it("keeps a workspace of any name one word", () => {
    expect(restoreCommand(columns, 2, "it's; rm -rf")).toContain("--workspace 'it'\\''s; rm -rf'");
  });

  it("offers the workspaces in which something changed", () => {
    expect(workspacesOf(columns)).toEqual(["run-1", "other"]);
  });
});
