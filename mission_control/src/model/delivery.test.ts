import { describe, expect, it } from "vitest";
import { readDelivery } from "./delivery.ts";

const READ = { streamSeq: 42, consumerSeq: 3, storedMs: 1_733_050_000_123, pending: 9 };

describe("the reply subject of a delivery", () => {
  it("tells sequence, count, time and what is left", () => {
    expect(readDelivery("$JS.ACK.S.c.1.42.3.1733050000123000000.9")).toEqual(READ);
  });

  it("may name domain and account before the stream", () => {
    expect(readDelivery("$JS.ACK._.HASH.S.c.1.42.3.1733050000123000000.9.tok")).toEqual(READ);
    expect(readDelivery("$JS.ACK._.HASH.S.c.1.42.3.1733050000123000000.9")).toEqual(READ);
  });

  it.each([undefined, "", "_INBOX.x", "$JS.ACK.S.c.1", "$JS.ACK.S.c.1.a.b.c.d"])(
    "is not read from %s",
    (reply) => {
      expect(readDelivery(reply)).toBeNull();
    },
  );
});
