import { describe, expect, it } from "vitest";
import { milliseconds } from "../types/units.ts";
import { ago, clock } from "./time_text.ts";

describe("how long ago", () => {
  it.each([
    [0, "now"],
    [1_999, "now"],
    [59_000, "59 s"],
    [61_000, "1 min"],
    [7_300_000, "2 h"],
    [200_000_000, "2 d"],
    [-5_000, "now"],
  ])("%d ms reads %s", (passed, words) => {
    expect(ago(milliseconds(1e9 - passed), milliseconds(1e9))).toBe(words);
  });
});

describe("a clock", () => {
  it("has milliseconds, and survives times that no calendar holds", () => {
    expect(clock(milliseconds(1_733_050_000_007))).toMatch(/^\d\d:\d\d:40\.007$/);
    expect(clock(milliseconds(1e20))).toBe("–");
  });
});
