import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { agentEvent } from "../testing/agent_events.ts";
import type { SwarmEventView } from "../types/swarm_event.ts";
import { appended } from "./bounded.ts";
import { accepting, NO_FILTER } from "./filter.ts";
import { FilteredEvents } from "./filtered.ts";

const isOfA = (event: SwarmEventView) => event.agentId === "a";

describe("events kept up with a filter", () => {
  it("are those that filtering everything anew finds, while the store grows and lets go", () => {
    const batch = fc.array(fc.constantFrom("a", "b"), { maxLength: 6 });
    fc.assert(
      fc.property(fc.array(batch, { maxLength: 12 }), (batches) => {
        const filtered = new FilteredEvents(isOfA);
        let snapshot = { events: [] as readonly SwarmEventView[], dropped: 0, generation: 0 };
        for (const agents of batches) {
          const more = agents.map((agent) => agentEvent({}, agent));
          const { list, dropped } = appended(snapshot.events, more, 8, 3);
          snapshot = { ...snapshot, events: list, dropped: snapshot.dropped + dropped };
          expect(filtered.of(snapshot)).toEqual(list.filter(isOfA));
        }
      }),
    );
  });

  it("begin anew when a stream was forgotten", () => {
    const filtered = new FilteredEvents(isOfA);
    filtered.of({ events: [agentEvent({}), agentEvent({})], dropped: 0, generation: 0 });
    const left = [agentEvent({})];
    expect(filtered.of({ events: left, dropped: 0, generation: 1 })).toEqual(left);
  });
});

describe("a filter", () => {
  const event = agentEvent({ case: "decision", value: { rationale: "Keep the Alias" } }, "coder-1");

  it.each([
    [{ text: "alias" }, true],
    [{ text: "CODER" }, true],
    [{ text: "other" }, false],
    [{ role: "CODER", kind: "decision", run: "run" }, true],
    [{ role: "REVIEWER" }, false],
    [{ agent: "coder" }, false],
  ])("%o accepts: %s", (chosen, isAccepted) => {
    expect(accepting({ ...NO_FILTER, ...chosen })(event)).toBe(isAccepted);
  });
});
