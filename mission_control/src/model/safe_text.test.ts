import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cutAt, safeLine, safeText } from "./safe_text.ts";

/** Controls but tab and newline, zero-width characters, everything that turns the direction. */
const HIDDEN = /(?![\t\n])\p{Cc}|[\u200b\u200c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/u;
const anyText = fc.string({ unit: "binary", maxLength: 200 });

describe("safe text", () => {
  it("shows terminal sequences as what they are", () => {
    expect(safeText("\u001b[31mred\u001b[0m")).toBe("␛[31mred␛[0m");
  });

  it("names overrides of direction and characters without width", () => {
    expect(safeText("a\u202eb\u200bc\u2066")).toBe("a‹U+202E›b‹U+200B›c‹U+2066›");
  });

  it("leaves ordinary writing alone, families of emoji too", () => {
    const text = "naïve 漢字 שלום 🐝 👩‍👩‍👧 👩🏽‍💻 tab\tand\nline";
    expect(safeText(text)).toBe(text);
  });

  it("leaves markup as it is: it is shown as text", () => {
    expect(safeText("<img src=x onerror=alert(1)>")).toBe("<img src=x onerror=alert(1)>");
  });

  it("lets nothing through that hides", () => {
    fc.assert(fc.property(anyText, (text) => !HIDDEN.test(safeText(text))));
  });

  it("changes nothing that it has made safe", () => {
    fc.assert(fc.property(anyText, (text) => safeText(safeText(text)) === safeText(text)));
  });
});

describe("a safe line", () => {
  it("is one line of at most the limit, whatever the text", () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 2, max: 50 }), (text, limit) => {
        const line = safeLine(text, limit);
        return line.length <= limit && !line.includes("\n");
      }),
    );
  });

  it("says that it was cut", () => {
    expect(safeLine("x".repeat(1_000_000), 10)).toBe("xxxxxxxxx…");
  });
});

describe("cutting", () => {
  it("tears no character", () => {
    expect(cutAt("a🐝", 2)).toBe("a");
  });
});
