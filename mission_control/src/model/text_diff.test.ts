import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { diffTexts, fold, pairLines } from "./text_diff.ts";

const texts = fc
  .array(fc.constantFrom("a", "b", "c", "", "  d"), { maxLength: 12 })
  .chain((lines) => fc.boolean().map((ends) => lines.join("\n") + (ends ? "\n" : "")));

describe("a comparison of two texts", () => {
  it("holds both texts, whatever they are", () => {
    fc.assert(
      fc.property(texts, texts, (before, after) => {
        const { lines } = diffTexts(before, after);
        expect(textOf(lines.filter((line) => line.sign !== "added"))).toBe(before);
        expect(textOf(lines.filter((line) => line.sign !== "removed"))).toBe(after);
      }),
    );
  });

  it("numbers the lines of each side without gaps", () => {
    const { lines, added, removed } = diffTexts("a\nb\nc\n", "a\nx\ny\nc\n");
    expect(lines.flatMap((line) => line.before ?? [])).toEqual([1, 2, 3]);
    expect(lines.flatMap((line) => line.after ?? [])).toEqual([1, 2, 3, 4]);
    expect([added, removed]).toEqual([2, 1]);
  });

  it("tells a missing newline at the end from the same line with one", () => {
    const { lines } = diffTexts("a\n", "a");
    expect(lines.map((line) => [line.sign, line.isUnended])).toEqual([
      ["removed", false],
      ["added", true],
    ]);
  });

  it("shows all as replaced when comparing takes too long", () => {
    const many = (offset: number) =>
      Array.from({ length: 3_000 }, (_, line) => `${line * 2 + offset}`).join("\n");
    const diff = diffTexts(many(0), many(1), 0);
    expect(diff.isExact).toBe(false);
    expect([diff.added, diff.removed]).toEqual([3_000, 3_000]);
  });
});

describe("lines beside each other", () => {
  it("puts what came in a line's place beside it", () => {
    const pairs = pairLines(diffTexts("a\nb\nc\n", "a\nx\ny\nc\n").lines);
    expect(pairs.map((pair) => [pair.before?.text, pair.after?.text])).toEqual([
      ["a", "a"],
      ["b", "x"],
      [undefined, "y"],
      ["c", "c"],
    ]);
  });
});

describe("folding", () => {
  it("leaves out what is far from any difference, and opens a gap by its first line", () => {
    const differs = (index: number) => index === 10;
    const folded = fold(20, differs, 2, new Set());
    expect(folded[0]).toEqual({ kind: "gap", from: 0, to: 8 });
    expect(folded.at(-1)).toEqual({ kind: "gap", from: 13, to: 20 });
    expect(fold(20, differs, 2, new Set([0]))).toHaveLength(14);
  });

  it("covers each line once, whatever differs", () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 40 }), fc.nat(4), (changed, context) => {
        const folded = fold(changed.length, (index) => changed[index] ?? false, context, new Set());
        const covered = folded.flatMap((part) =>
          part.kind === "line"
            ? [part.index]
            : Array.from({ length: part.to - part.from }, (_, index) => part.from + index),
        );
        expect(covered).toEqual(changed.map((_, index) => index));
      }),
    );
  });
});

function textOf(lines: readonly { text: string; isUnended: boolean }[]): string {
  return lines.map((line) => line.text + (line.isUnended ? "" : "\n")).join("");
}
