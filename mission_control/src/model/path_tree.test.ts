import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { buildPathTree, linesOf } from "./path_tree.ts";

const everything = () => true;

function treeOf(...paths: string[]) {
  return buildPathTree(paths.map((path, id) => ({ path, id })));
}

function shown(tree: ReturnType<typeof treeOf>, exists = everything as (id: number) => boolean) {
  return linesOf(tree, exists, new Set()).map((line) => "  ".repeat(line.depth) + line.label);
}

describe("a tree of paths", () => {
  it("shows directories first, each in the order of names", () => {
    expect(shown(treeOf("b.py", "a/z.py", "a/y/x.py", "a.py"))).toEqual([
      "a",
      "  y",
      "    x.py",
      "  z.py",
      "a.py",
      "b.py",
    ]);
  });

  it("shows directories that hold one directory only as one line", () => {
    expect(shown(treeOf("src/app/core/one.py", "src/app/core/two.py"))).toEqual([
      "src/app/core",
      "  one.py",
      "  two.py",
    ]);
  });

  it("shows a directory only while something exists in it", () => {
    expect(shown(treeOf("a/one.py", "b/two.py"), (id) => id === 1)).toEqual(["b", "  two.py"]);
  });

  it("keeps a file apart from a directory of the same name", () => {
    const lines = linesOf(treeOf("a", "a/b"), everything, new Set());
    expect(lines.map((line) => line.key)).toEqual(["a/", "a/b", "a"]);
  });

  it("hides what is below a collapsed directory, and counts it", () => {
    const lines = linesOf(treeOf("a/one.py", "a/two.py", "b.py"), everything, new Set(["a/"]));
    expect(lines.map(({ label, count, isExpanded }) => [label, count, isExpanded])).toEqual([
      ["a", 2, false],
      ["b.py", 1, false],
    ]);
  });

  it("shows each item that exists exactly once", () => {
    const part = fc.constantFrom("a", "b", "c");
    const path = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));
    fc.assert(
      fc.property(fc.uniqueArray(path), fc.nat(), (paths, seed) => {
        const exists = (id: number) => (seed >> (id % 31)) % 2 === 0;
        const lines = linesOf(treeOf(...paths), exists, new Set());
        const ids = lines.filter((line) => !line.isDirectory).map((line) => line.id);
        const expected = paths.map((_, id) => id).filter(exists);
        expect(ids.toSorted((a, b) => a - b)).toEqual(expected);
      }),
    );
  });
});
