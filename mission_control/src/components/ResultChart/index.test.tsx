import { render, screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import type { Chart } from "../../model/series.ts";
import { HOSTILE } from "../../testing/answers.tsx";
import { ResultChart } from "./index.tsx";

const chart = (fields: Partial<Chart> = {}): Chart => ({
  form: "bars",
  labels: ["a", "b"],
  places: [0.25, 0.75],
  series: [{ name: "events", values: [10, null] }],
  ...fields,
});

describe("the chart of a result", () => {
  it("draws a bar for each value, and says it in words", () => {
    const { container } = render(<ResultChart chart={chart()} />);
    const bars = [...container.querySelectorAll("rect")];
    expect(bars.map((bar) => bar.textContent)).toEqual(["a: 10", "b: no value"]);
    expect(bars.map((bar) => bar.getAttribute("height"))).toEqual(["200", "0"]);
    expect(screen.getByRole("figure", { name: "events: 2 points" })).toBeTruthy();
  });

  it("draws a line through the values that there are", () => {
    const series = [{ name: "events", values: [0, 10] }];
    const { container } = render(<ResultChart chart={chart({ form: "line", series })} />);
    expect(container.querySelector("polyline")?.getAttribute("points")).toBe(
      "200.0,200.0 600.0,0.0",
    );
  });

  it("shows what others wrote as text, in its titles, too", () => {
    const series = [{ name: HOSTILE, values: [1, 2] }];
    const { container } = render(<ResultChart chart={chart({ series, labels: [HOSTILE, "b"] })} />);
    expect(container.querySelector("img")).toBeNull();
    expect(container.innerHTML).not.toContain("\u202e");
  });
});
