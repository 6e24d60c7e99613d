import fc from "fast-check";
import { expect, it } from "vitest";
import { shortAscii } from "./short_text.ts";

it("is what the browser's decoder says, or is left to it", () => {
  const decoder = new TextDecoder();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, isPlain) => {
      const given = isPlain ? bytes.map((byte) => byte & 0x7f) : bytes;
      const isShortPlain = given.length <= 128 && given.every((byte) => byte < 128);
      expect(shortAscii(given)).toBe(isShortPlain ? decoder.decode(given) : null);
    }),
  );
});
