import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { layOut } from "./plan_layout.ts";

describe("the picture of a plan", () => {
  it("puts a task right of all that it waits for", () => {
    const { nodes, edges } = layOut([
      { id: "c", after: ["a", "b"] },
      { id: "b", after: ["a"] },
      { id: "a", after: [] },
    ]);
    expect(nodes.map((node) => [node.id, node.column])).toEqual([
      ["c", 2],
      ["b", 1],
      ["a", 0],
    ]);
    expect(edges).toContainEqual(["a", "c"]);
  });

  it("gives each task a place of its own, whatever waits for what", () => {
    const ids = ["a", "b", "c", "d", "e"];
    const plan = fc.tuple(
      ...ids.map((id) => fc.record({ id: fc.constant(id), after: fc.subarray(ids) })),
    );
    fc.assert(
      fc.property(plan, (nodes) => {
        const places = layOut(nodes).nodes.map((node) => `${node.column}/${node.row}`);
        expect(new Set(places).size).toBe(ids.length);
      }),
    );
  });

  it("passes over what waits for tasks that are not known", () => {
    expect(layOut([{ id: "a", after: ["gone"] }]).edges).toEqual([]);
  });
});
