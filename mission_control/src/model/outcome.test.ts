import { describe, expect, it } from "vitest";
import { outcomeOf } from "./outcome.ts";

describe("the outcome of a run", () => {
  it("says what was accepted and what was refused, and why", () => {
    const lines = outcomeOf({
      branch: "swarm/r1",
      accepted: [{ task: "t1", commit: "0123456789abcdef", files: ["a.py", "b.py"] }],
      refused: [{ task: "t2", reason: "the tests fail" }],
    });
    expect(lines).toEqual([
      { name: "Branch", text: "swarm/r1", tone: "plain" },
      { name: "Accepted", text: "t1 · a.py, b.py · 0123456789ab", tone: "good" },
      { name: "Refused", text: "t2 · the tests fail", tone: "warn" },
    ]);
  });

  it("is nothing before the run ends", () => {
    expect(outcomeOf(null)).toEqual([]);
  });
});
