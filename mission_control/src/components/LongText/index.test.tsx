import { fireEvent, render, screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { LongText } from "./index.tsx";

describe("text of any length", () => {
  it("is cut until all of it is asked for", () => {
    const { container } = render(<LongText text={"x".repeat(5_000)} />);
    expect(container.textContent?.match(/x+/)?.[0]).toHaveLength(2_000);
    fireEvent.click(screen.getByRole("button", { name: "Show all 5,000 characters" }));
    expect(container.textContent?.match(/x+/)?.[0]).toHaveLength(5_000);
  });

  it("is text, whatever it looks like", () => {
    const { container } = render(<LongText text={"<b>bold</b>\u202e"} />);
    expect(container.querySelector("b")).toBeNull();
    expect(container.textContent).toBe("<b>bold</b>‹U+202E›");
  });
});
