import { act, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ReplayMoment } from "../../hooks/useReplay.ts";
import { buildReplay } from "../../model/replay.ts";
import { workingDocument } from "../../testing/replay_sample.ts";
import { ReplaySlider } from "./index.tsx";

const run = buildReplay(workingDocument(300));

function Page({ first }: { readonly first: number | null }) {
  const [row, setRow] = useState(first);
  const moment: ReplayMoment = {
    row,
    state: row === null ? null : run.index.stateAt(row),
    seek: (to) => setRow(Math.min(Math.max(to, 0), 299)),
    leave: () => setRow(null),
  };
  return <ReplaySlider run={run} moment={moment} />;
}

function slider() {
  return screen.getByRole("slider", { name: "Moment of the run" });
}

const position = () => Number(slider().getAttribute("aria-valuenow"));

beforeEach(() => {
  vi.stubGlobal(
    "ResizeObserver",
    class {
      observe() {}
      disconnect() {}
    },
  );
  vi.stubGlobal("matchMedia", () => new EventTarget());
});

afterEach(() => vi.unstubAllGlobals());

describe("the slider", () => {
  it("says which event of how many it stands at, and what happened there", () => {
    render(<Page first={2} />);
    expect(slider().getAttribute("aria-valuemax")).toBe("300");
    expect(slider().getAttribute("aria-valuetext")).toContain("event 3 of 300");
    expect(slider().getAttribute("aria-valuetext")).toContain("src/part2/file2.py");
  });

  it.each([
    ["{ArrowRight}", 101],
    ["{ArrowLeft}", 99],
    ["{Home}", 1],
    ["{End}", 300],
    ["{PageUp}", 115],
    ["{PageDown}", 85],
  ])("moves by %s", async (key, expected) => {
    render(<Page first={99} />);
    slider().focus();
    await userEvent.keyboard(key);
    expect(position()).toBe(expected);
  });

  it("goes from mark to mark with shift", async () => {
    render(<Page first={3} />);
    slider().focus();
    await userEvent.keyboard("{Shift>}{ArrowRight}{/Shift}");
    expect(position()).toBe(7);
    await userEvent.keyboard("{Shift>}{ArrowLeft}{ArrowLeft}{/Shift}");
    expect(position()).toBe(3);
  });

  it("plays and pauses with the space bar", async () => {
    // No frame comes: a slow machine would be at the end of the run before the second press.
    vi.stubGlobal("requestAnimationFrame", () => 0);
    render(<Page first={3} />);
    slider().focus();
    await userEvent.keyboard(" ");
    expect(screen.getByRole("button", { name: "Pause" })).toBeTruthy();
    await userEvent.keyboard(" ");
    expect(screen.getByRole("button", { name: "Play" })).toBeTruthy();
  });

  it("moves on as frames come", async () => {
    const frames: FrameRequestCallback[] = [];
    vi.stubGlobal("requestAnimationFrame", (frame: FrameRequestCallback) => frames.push(frame));
    render(<Page first={3} />);
    await userEvent.click(screen.getByRole("button", { name: "Play" }));
    await act(async () => frames.at(-1)?.(performance.now() + 100));
    expect(position()).toBeGreaterThan(4);
  });

  it("shows the command that restores the moment, and copies it", async () => {
    const user = userEvent.setup();
    render(<Page first={2} />);
    await user.click(screen.getByRole("button", { name: "Restore here" }));
    const command = "swarm restore --at '#9' --workspace run-1 --to restored-9";
    expect(screen.getByText(command)).toBeTruthy();
    await user.click(screen.getByRole("button", { name: "Copy" }));
    expect(await navigator.clipboard.readText()).toBe(command);
  });

  it("goes back to now", async () => {
    render(<Page first={2} />);
    await userEvent.click(screen.getByRole("button", { name: "Live" }));
    expect(screen.getByRole("button", { name: "Live" }).getAttribute("aria-pressed")).toBe("true");
    expect(position()).toBe(300);
  });
});
