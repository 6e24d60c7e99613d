import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { buildPathTree, linesOf } from "../../model/path_tree.ts";
import { Tree } from "./index.tsx";

const tree = buildPathTree(["src/a.py", "src/b.py", "README"].map((path, id) => ({ path, id })));
const opened = vi.fn();

function Page() {
  const [collapsed, setCollapsed] = useState<ReadonlySet<string>>(new Set());
  return (
    <Tree
      label="Files"
      lines={linesOf(tree, () => true, collapsed)}
      selected=""
      onToggle={({ key }) => setCollapsed(collapsed.has(key) ? new Set() : new Set([key]))}
      onSelect={(line) => opened(line.key)}
    />
  );
}

const labels = () => screen.getAllByRole("treeitem").map((line) => line.textContent);

beforeEach(() => {
  opened.mockClear();
  // A list that is not laid out has no room for lines.
  vi.spyOn(Element.prototype, "clientHeight", "get").mockReturnValue(400);
  vi.spyOn(Element.prototype, "clientWidth", "get").mockReturnValue(300);
});

describe("the tree", () => {
  it("opens a file and collapses a directory by pointer", async () => {
    render(<Page />);
    await userEvent.click(screen.getByText("a.py"));
    expect(opened).toHaveBeenCalledWith("src/a.py");
    await userEvent.click(screen.getByText("src/"));
    expect(labels()).toEqual(["src/", "README"]);
  });

  it("goes by keys, in and out of directories", async () => {
    render(<Page />);
    screen.getByRole("tree").focus();
    await userEvent.keyboard("{ArrowDown}{ArrowDown}{Enter}");
    expect(opened).toHaveBeenCalledWith("src/b.py");
    await userEvent.keyboard("{ArrowLeft}{ArrowLeft}");
    expect(labels()).toEqual(["src/", "README"]);
    await userEvent.keyboard("{ArrowRight}{End}{Enter}");
    expect(opened).toHaveBeenLastCalledWith("README");
  });

  it("names the line that keys are about", async () => {
    render(<Page />);
    screen.getByRole("tree").focus();
    await userEvent.keyboard("{End}");
    const active = screen.getByRole("tree").getAttribute("aria-activedescendant") ?? "";
    expect(document.getElementById(active)?.textContent).toBe("README");
  });
});
