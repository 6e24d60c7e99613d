import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { type NodeKey, SwarmGraph } from "../../model/graph.ts";
import { milliseconds } from "../../types/units.ts";
import { LiveTraceGraph } from "./index.tsx";

const graph = new SwarmGraph(10);
for (const [key, agentId, causes] of [
  ["plan", "architect-1", []],
  ["code", "coder-1", ["plan"]],
  ["fail", "coder-1", ["code"]],
] as const) {
  const isError = key === "fail";
  const atMs = milliseconds(0);
  graph.append({ key, agentId, role: "CODER", kind: "decision", atMs, isError, span: "", causes });
}

function Page({ until = null }: { readonly until?: number | null }) {
  const [selected, select] = useState<NodeKey | null>(null);
  return (
    <LiveTraceGraph
      graph={graph}
      version={1}
      until={until}
      selected={selected}
      onSelect={select}
      describe={(key) => ({
        title: `title of ${key}`,
        text: `text of ${key}`,
        eventHref: `/?event=${key}`,
        traceHref: "/debug/1",
        diffHref: "",
      })}
      empty={<p>nothing yet</p>}
    />
  );
}

const picture = () => screen.getByRole("application");

beforeEach(() => {
  vi.stubGlobal(
    "ResizeObserver",
    class {
      observe() {}
      disconnect() {}
    },
  );
  vi.stubGlobal("matchMedia", () => new EventTarget());
  vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockReturnValue(null);
});

describe("the graph of the swarm", () => {
  it("tells of the event that the keys lead to, with ways on from it", async () => {
    render(<Page />);
    picture().focus();
    await userEvent.keyboard("{ArrowLeft}");
    expect(screen.getByText("title of fail")).toBeTruthy();
    expect(screen.getByText("1 cause, 0 effects")).toBeTruthy();
    expect(screen.getByRole("link", { name: "Event" }).getAttribute("href")).toBe("/?event=fail");
    expect(screen.queryByRole("link", { name: "Diff" })).toBeNull();
  });

  it("follows causes by key", async () => {
    render(<Page />);
    picture().focus();
    await userEvent.keyboard("{ArrowLeft}cc");
    expect(screen.getByText("title of plan")).toBeTruthy();
  });

  it("goes to nothing that had not happened at the moment", async () => {
    render(<Page until={2} />);
    picture().focus();
    await userEvent.keyboard("{ArrowLeft}e{ArrowRight}");
    expect(screen.getByText("title of code")).toBeTruthy();
  });

  it("says in tables what it draws", async () => {
    render(<Page />);
    await userEvent.click(screen.getByRole("button", { name: "Tables" }));
    const agents = screen.getByRole("table", { name: "Agents" });
    expect(agents.textContent).toContain("coder-1coder21");
    expect(screen.getByRole("link", { name: "text of fail" })).toBeTruthy();
    expect(screen.getByRole("button", { name: "title of plan" })).toBeTruthy();
  });

  it("says that there is nothing yet", () => {
    render(<Page until={0} />);
    expect(screen.getByText("nothing yet")).toBeTruthy();
  });
});
