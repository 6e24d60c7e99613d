import { describe, expect, it } from "vitest";
import { durationText, modeText, moneyText, sizeText } from "./amounts.ts";

describe("amounts as people read them", () => {
  it.each([
    [0.25, "250 µs"],
    [12.34, "12.3 ms"],
    [4_210, "4.21 s"],
    [185_000, "3 min 5 s"],
    [7_200_000, "2 h"],
    [Number.NaN, "–"],
  ])("%d ms reads %s", (ms, text) => expect(durationText(ms)).toBe(text));

  it.each([
    [812, "812 B"],
    [4_300, "4.2 KiB"],
    [2 ** 30, "1.0 GiB"],
  ])("%d bytes read %s", (bytes, text) => expect(sizeText(bytes)).toBe(text));

  it("shows small prices with more digits", () => {
    expect([0, 4_200, 1_500_000].map(moneyText)).toEqual(["$0", "$0.0042", "$1.50"]);
  });

  it("writes permission bits as ls does", () => {
    expect([0, 0o755, 0o600].map(modeText)).toEqual(["–", "rwxr-xr-x", "rw-------"]);
  });
});
