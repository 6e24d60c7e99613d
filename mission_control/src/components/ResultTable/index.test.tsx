import { render, screen } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import type { JsonColumn, SqlResult } from "../../services/trace_api.ts";
import { HARMLESS, HOSTILE, layOut } from "../../testing/answers.tsx";
import { ResultTable } from "./index.tsx";

function show(rows: JsonColumn[][]) {
  const columns = [
    { name: "name", type: "String" },
    { name: "n", type: "Nullable(UInt64)" },
  ];
  return render(<ResultTable result={{ columns, rows } as unknown as SqlResult} />);
}

beforeEach(layOut);

describe("the table of a result", () => {
  it("tells numbers from texts, and nothing from an empty text", () => {
    show([
      ["", 7],
      ["x", null],
    ]);
    const cells = screen.getAllByRole("cell").map((cell) => [cell.textContent, cell.dataset]);
    expect(cells.map(([text]) => text)).toEqual(["", "7", "x", "null"]);
    expect(screen.getByText("7").dataset["number"]).toBe("true");
    expect(screen.getByText("null").dataset["missing"]).toBe("true");
  });

  it("draws a part of many rows, and says how many there are", () => {
    show(Array.from({ length: 5_000 }, (_, index) => [`row ${index}`, index]));
    expect(screen.getByRole("table").getAttribute("aria-rowcount")).toBe("5001");
    expect(screen.getAllByRole("row").length).toBeLessThan(100);
  });

  it("shows what others wrote as text, in its titles, too", () => {
    const { container } = show([[HOSTILE, 1]]);
    expect(container.querySelector("img")).toBeNull();
    expect(screen.getByTitle(HARMLESS).textContent).toBe(HARMLESS);
  });
});
