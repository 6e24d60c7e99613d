import { describe, expect, it } from "vitest";
import { agentEvent } from "../testing/agent_events.ts";
import { fieldsOf } from "./event_fields.ts";

const fieldsBy = (name: string, value: object) =>
  Object.fromEntries(
    fieldsOf(agentEvent({ case: name, value }).payload).map((field) => [field.name, field.texts]),
  );

describe("the fields of an event", () => {
  it("are those that say something", () => {
    expect(fieldsBy("decision", { rationale: "why" })).toEqual({ rationale: ["why"] });
  });

  it("read with their units", () => {
    const call = { toolName: "t", toolDurationUs: 1_500n, toolArguments: '{"a":1}' };
    expect(fieldsBy("toolCall", call)).toEqual({
      tool_name: ["t"],
      tool_duration_us: ["1.5 ms"],
      tool_arguments: ['{\n  "a": 1\n}'],
    });
  });

  it("show permissions as people write them", () => {
    expect(fieldsBy("stateChange", { mode: 0o100644 })["mode"]).toEqual(["100644"]);
  });
});
