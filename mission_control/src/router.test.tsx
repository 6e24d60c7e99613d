import { act, fireEvent, render, screen } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import { useFilter } from "./hooks/useFilter.ts";
import { changeUrl, hrefWith } from "./hooks/useUrlState.ts";
import { Link, matchPath, navigate } from "./router.tsx";

beforeEach(() => navigate("/"));

describe("a path", () => {
  it("matches whole, and gives its parts names", () => {
    expect(matchPath("/runs/:runId", "/runs/a%2Fb")).toEqual({ runId: "a/b" });
    expect(matchPath("/runs", "/runs/")).toEqual({});
    expect(matchPath("/runs", "/runs/1")).toBeNull();
    expect(matchPath("/", "/runs")).toBeNull();
  });

  it("that is not well written matches as it is", () => {
    expect(matchPath("/:name", "/%E0%A4%A")).toEqual({ name: "%E0%A4%A" });
  });
});

describe("the address", () => {
  it("keeps what is not changed", () => {
    expect(hrefWith("/", "?a=1&b=2", { b: "x&y", c: null })).toBe("/?a=1&b=x%26y");
  });

  it("says what is chosen, and is changed by choosing", () => {
    render(<Chosen />);
    act(() => changeUrl({ role: "coder", q: "text" }));
    expect(screen.getByRole("button").textContent).toBe("CODER text");
    fireEvent.click(screen.getByRole("button"));
    expect(window.location.search).toBe("?role=reviewer&q=text");
  });
});

describe("a link", () => {
  it("changes the address without loading the page", () => {
    render(<Link href="/runs">Runs</Link>);
    fireEvent.click(screen.getByRole("link"));
    expect(window.location.pathname).toBe("/runs");
  });

  it("is left to the browser where a key says so", () => {
    render(<Link href="/runs">Runs</Link>);
    const isTaken = !fireEvent.click(screen.getByRole("link"), { ctrlKey: true });
    expect([isTaken, window.location.pathname]).toEqual([false, "/"]);
  });
});

function Chosen() {
  const { filter, change } = useFilter();
  return (
    <button type="button" onClick={() => change({ role: "REVIEWER" })}>
      {filter.role} {filter.text}
    </button>
  );
}
