import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { appended } from "./bounded.ts";

describe("a bounded list", () => {
  it("is the tail of everything, and says how much it let go", () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.integer(), { maxLength: 8 })), (batches) => {
        let list: readonly number[] = [];
        let gone = 0;
        for (const batch of batches) {
          const after = appended(list, batch, 10, 5);
          list = after.list;
          gone += after.dropped;
          expect(list.length).toBeLessThanOrEqual(15);
        }
        expect(list).toEqual(batches.flat().slice(gone));
      }),
    );
  });
});
