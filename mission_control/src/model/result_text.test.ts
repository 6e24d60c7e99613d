import { describe, expect, it } from "vitest";
import { csvOf } from "./result_text.ts";

it("writes CSV that keeps commas, quotes, line ends, lists and what is missing", () => {
  const columns = ["a", 'b"'].map((name) => ({ name, type: "String" }));
  const rows = [
    ["x,y", 'say "hi"'],
    [["l", 1], null],
    ["two\nlines", 3],
  ];
  const csv = csvOf({ columns, rows, elapsed_ms: 1, truncated: false });
  expect(csv).toBe('a,"b"""\r\n"x,y","say ""hi"""\r\n"[""l"",1]",\r\n"two\nlines",3\r\n');
});

describe("an empty result", () => {
  it("is its header", () => {
    const csv = csvOf({
      columns: [{ name: "a", type: "String" }],
      rows: [],
      elapsed_ms: 0,
      truncated: false,
    });
    expect(csv).toBe("a\r\n");
  });
});
