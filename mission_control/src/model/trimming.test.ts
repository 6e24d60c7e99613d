import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { AgentDecisionSchema } from "../gen/enchanted/events/v1/events_pb.ts";
import { trimmed } from "./trimming.ts";

const decision = (fields: object) =>
  ({ case: "decision", value: create(AgentDecisionSchema, fields) }) as const;

describe("a trimmed payload", () => {
  it("is the payload itself where nothing is long", () => {
    const payload = decision({ rationale: "short", memoryIds: ["m"] });
    expect(trimmed(payload)).toEqual({ payload, isWhole: true });
    expect(trimmed(payload).payload).toBe(payload);
  });

  it("holds the beginning of long texts and lists, and says so", () => {
    const many = Array.from({ length: 500 }, (_, index) => `m${index}`);
    const { payload, isWhole } = trimmed(
      decision({ rationale: "x".repeat(9_999), memoryIds: many }),
    );
    expect(isWhole).toBe(false);
    if (payload.case !== "decision") throw new Error("it is a decision");
    expect(payload.value.rationale).toHaveLength(2_000);
    expect(payload.value.memoryIds).toEqual(many.slice(0, 20));
  });

  it("leaves the payload that it was made from as it was", () => {
    const payload = decision({ rationale: "x".repeat(9_999) });
    trimmed(payload);
    expect(payload.value.rationale).toHaveLength(9_999);
  });
});
