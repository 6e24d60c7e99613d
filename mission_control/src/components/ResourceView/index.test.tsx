import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError } from "../../services/api_client.ts";
import { HARMLESS, HOSTILE, layOut, renderWith } from "../../testing/answers.tsx";
import { ResourceView } from "./index.tsx";

const change = (number: number, rationale: string | null = "because") => ({
  event_id: `e${number}`,
  stream: "S",
  stream_seq: number,
  at: "2026-01-01T00:00:00Z",
  agent_id: "coder-1",
  role: "CODER",
  previous: "0".repeat(64),
  new: "1".repeat(64),
  size_bytes: 4,
  mode: 0o100644,
  is_break: false,
  renamed_from: "",
  rationale,
});

function show(items: readonly object[], content: unknown = "one\n") {
  const asked = { name: "a.txt", workspaceId: "w", from: "", to: "", at: "", line: null };
  return renderWith(
    { resourceHistory: { items }, content },
    <ResourceView {...asked} hrefOf={(id) => `/open/${id}`} />,
  );
}

beforeEach(() => {
  layOut();
  vi.stubGlobal("matchMedia", () => ({
    matches: true,
    addEventListener: () => undefined,
    removeEventListener: () => undefined,
  }));
});

describe("a resource through time", () => {
  it("says who changed it, when and why", async () => {
    show([change(1)]);
    expect(await screen.findByText("One change between them")).toBeTruthy();
    expect(screen.getByText("because")).toBeTruthy();
    expect(screen.getByRole("link", { name: /coder-1/ }).getAttribute("href")).toBe("/open/e1");
  });

  it("puts the moments that are chosen into the address", async () => {
    show([change(1), change(2)]);
    await userEvent.selectOptions(await screen.findByLabelText("From"), "start");
    expect(window.location.search).toContain("from=start");
  });

  it.each([
    [[], "one", "It was never changed here"],
    [[change(1)], new ApiError(404, "not_recorded", "gone", ""), "This content is not recorded"],
    [[change(1)], "a\0b", "Binary content"],
    [[change(1, null)], "one", "names no decision"],
    [[{ ...change(1), is_break: true }], "one", /something outside the swarm had/],
  ])("says what cannot be shown: %#", async (items, content, words) => {
    show(items, content);
    expect(await screen.findByText(words)).toBeTruthy();
  });

  it("shows what others wrote as text", async () => {
    const { container } = show([{ ...change(1, HOSTILE), agent_id: HOSTILE }]);
    expect((await screen.findAllByText(HARMLESS)).length).toBeGreaterThan(1);
    expect(container.querySelector("img")).toBeNull();
  });
});
