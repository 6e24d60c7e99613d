import { describe, expect, it } from "vitest";
import { replayOfRows, type SampleRow, workingReplay } from "../testing/replay_sample.ts";
import { linesOf } from "./path_tree.ts";
import { ReplayIndex } from "./replay_index.ts";
import { buildWorkspaceTree, changeAt, existsAt } from "./replay_tree.ts";

const CHANGE: SampleRow = {
  stream: 0,
  passedMs: 1,
  kind: 1,
  agent: 0,
  flag: 0,
  status: 0,
  resource: 1,
  hash: 1,
  size: 9,
  cause: 0,
};

describe("the workspace at a moment", () => {
  it("holds a file from its first change until it is deleted", () => {
    const columns = replayOfRows([{ ...CHANGE, kind: 0 }, CHANGE, { ...CHANGE, hash: 0 }]);
    const index = new ReplayIndex(columns);
    const existed = [0, 1, 2].map((row) => existsAt(columns, index.stateAt(row), 1));
    expect(existed).toEqual([false, true, false]);
    expect(changeAt(index.stateAt(0), 1)).toBeNull();
    expect(changeAt(index.stateAt(2), 1)).toBe(2);
  });

  it("shows files by directory and other resources by type, of one workspace only", () => {
    const columns = workingReplay(1);
    const lines = linesOf(buildWorkspaceTree(columns, "other"), () => true, new Set());
    expect(lines.map((line) => line.label)).toEqual(["src/part0", "file6.py"]);
    const own = linesOf(buildWorkspaceTree(columns, "run-1"), () => true, new Set());
    expect(own.map((line) => line.key).slice(0, 2)).toEqual(["ENV_VAR/", "ENV_VAR/PATH"]);
  });
});
