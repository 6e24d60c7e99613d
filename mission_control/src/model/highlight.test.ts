import { describe, expect, it } from "vitest";
import { piecesOf } from "./highlight.ts";
import { languageOf } from "./language.ts";

const CODE = 'def f(x):\n    """Two\n    lines."""\n    return "<b>" + x\n';

describe("source code in colours", () => {
  it("keeps every character, line by line", () => {
    const lines = piecesOf(CODE, "python").map((line) => line.map((piece) => piece.text).join(""));
    expect(lines.join("\n")).toBe(CODE);
  });

  it("names what a piece is, also in the second line of a text of several", () => {
    const lines = piecesOf(CODE, "python");
    expect(lines[0]?.[0]).toEqual({ style: "keyword", text: "def" });
    expect(lines[2]?.[0]?.style).toBe("string");
  });

  it("leaves text in an unknown language as it is", () => {
    expect(piecesOf("a\nb", "")).toEqual([[{ style: "", text: "a" }], [{ style: "", text: "b" }]]);
  });
});

describe("the language of a file", () => {
  it.each([
    ["src/app.py", "python"],
    ["a/Makefile", "makefile"],
    ["x.TSX", "typescript"],
    ["LICENSE", ""],
  ])("%s is %s", (path, language) => expect(languageOf(path)).toBe(language));
});
