import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { HARMLESS, HOSTILE, layOut } from "../../testing/answers.tsx";
import { StateDiffView } from "./index.tsx";

const onLine = vi.fn();

function show(before: string, after: string) {
  return render(<StateDiffView name="a.txt" before={before} after={after} onLine={onLine} />);
}

const signs = (container: HTMLElement) =>
  [...container.querySelectorAll<HTMLElement>(".state-diff-line")].map((line) => [
    line.dataset["sign"],
    line.querySelector("code")?.textContent,
  ]);

beforeEach(() => {
  layOut();
  vi.stubGlobal("matchMedia", () => ({
    matches: true,
    addEventListener: () => undefined,
    removeEventListener: () => undefined,
  }));
});

describe("the comparison of two moments", () => {
  it("shows what was removed and what was added, with its count", () => {
    const { container } = show("one\ntwo\n", "one\nTWO\n");
    expect(signs(container)).toEqual([
      ["same", "one"],
      ["removed", "two"],
      ["added", "TWO"],
    ]);
    expect(container.textContent).toContain("+1 −1 lines added and removed");
  });

  it("stands side by side when that is chosen, by keyboard", async () => {
    const { container } = show("one\n", "two\n");
    screen.getByRole("button", { name: "Side by side" }).focus();
    await userEvent.keyboard("{Enter}");
    expect(container.querySelector("[data-layout]")?.getAttribute("data-layout")).toBe("beside");
    expect(signs(container)).toEqual([
      ["removed", "one"],
      ["added", "two"],
    ]);
  });

  it("asks about a line of what it became", async () => {
    show("one\n", "one\ntwo\n");
    await userEvent.click(screen.getByRole("button", { name: "2" }));
    expect(onLine).toHaveBeenCalledWith(2);
  });

  it("opens what is folded because it is the same", async () => {
    const same = Array.from({ length: 40 }, (_, index) => `line ${index}\n`).join("");
    const { container } = show(`${same}old\n`, `${same}new\n`);
    const before = signs(container).length;
    await userEvent.click(screen.getByRole("button", { name: /lines that are the same/ }));
    expect(signs(container).length).toBeGreaterThan(before);
  });

  it("shows contents as text, whatever they hold", () => {
    const { container } = show("", `${HOSTILE}\n`);
    expect(container.querySelector("img")).toBeNull();
    expect(container.textContent).toContain(HARMLESS);
  });
});
