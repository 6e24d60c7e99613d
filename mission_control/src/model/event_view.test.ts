import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fromBinary, fromJson, toJson } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { SwarmEventSchema } from "../gen/enchanted/events/v1/events_pb.ts";
import { sequence } from "../types/units.ts";
import { viewOfBytes, viewOfRow } from "./event_view.ts";

const GOLDEN = join(import.meta.dirname, "../../../tests/golden/v1");
const PLACE = { stream: "S", seq: sequence(7), subject: "swarm.events.coder.decision" };
const names = readdirSync(GOLDEN)
  .filter((file) => file.endsWith(".binpb"))
  .map((file) => file.replace(".binpb", ""));
const bytesOf = (name: string) => new Uint8Array(readFileSync(join(GOLDEN, `${name}.binpb`)));
const expectedOf = (name: string) =>
  JSON.parse(readFileSync(join(GOLDEN, `${name}.json`), "utf8")) as { event: object; kind: string };

describe.each(names)("golden event %s", (name) => {
  it("decodes to the same JSON as in Python", () => {
    const event = fromBinary(SwarmEventSchema, bytesOf(name));
    const expected = fromJson(SwarmEventSchema, expectedOf(name).event as never);
    expect(toJson(SwarmEventSchema, event)).toEqual(toJson(SwarmEventSchema, expected));
  });

  it("has the kind that history names", () => {
    expect(viewOfBytes(bytesOf(name), PLACE).kind).toBe(expectedOf(name).kind);
  });
});

describe("the view of an event", () => {
  it("keeps nine digits of the second", () => {
    const view = viewOfBytes(bytesOf("decision"), PLACE);
    expect(view.at).toBe("2024-12-01T10:46:40.123456789Z");
    expect(view.atMs).toBeCloseTo(1_733_050_000_123.4568, 3);
  });

  it("names a role that is newer than this version by its number", () => {
    expect(viewOfBytes(bytesOf("newer_schema"), PLACE).role).toBe("17");
  });

  it("is of kind undecodable where the bytes are no event", () => {
    const view = viewOfBytes(new Uint8Array([255, 255, 255]), PLACE);
    expect([view.kind, view.isError, view.seq]).toEqual(["undecodable", true, 7]);
    expect(view.summary).toContain("does not decode");
  });

  it("is the same from a row of history as from the bus", () => {
    const live = viewOfBytes(bytesOf("decision"), PLACE);
    const row = {
      ...{ stream: "S", stream_seq: 7, subject: PLACE.subject, event_id: live.id },
      ...{ event_time: live.at, trace_id: live.traceId, span_id: live.spanId },
      ...{ agent_role: "CODER", agent_id: "coder-1", kind: "decision", run_id: "r1" },
      ...{ workspace_id: "ws-1", emitter_id: live.emitterId, emitter_seq: 1 },
      ...{ caused_by: [...live.causedBy], attributes: { ...live.attributes } },
      ...{ context_hash: "a".repeat(64), input_trigger: "issue 12", confidence_score: 0.75 },
      ...{ rationale: "split adapter: naïve, 漢字 and 🐝 survive" },
      ...{ rejected_alternatives: ["rewrite", ""], memory_ids: ["m1", "m2"] },
    };
    expect(viewOfRow(row)).toEqual(live);
  });
});
