import { describe, expect, it } from "vitest";
import { workingReplay } from "../testing/replay_sample.ts";
import { placeOf } from "./replay_columns.ts";
import { eventOfRow, eventsUpTo, placeKey, placesAfter } from "./replay_events.ts";

const columns = workingReplay(60);

describe("rows as events", () => {
  it("say who, what and which resource, and are known by their place", () => {
    expect(eventOfRow(columns, 2)).toMatchObject({
      id: "ENCHANTED_SWARM#9",
      agentId: "agent-0",
      role: "ARCHITECT",
      kind: "state_change",
      resource: "src/part2/file2.py",
      isWhole: false,
    });
  });

  it("end at the moment, the newest last, and no more than asked for", () => {
    const events = eventsUpTo(columns, 20, 5, new Map());
    expect(events.map((event) => event.seq)).toEqual(
      [16, 17, 18, 19, 20].map((row) => placeOf(columns, row).seq),
    );
    expect(eventsUpTo(columns, 1, 5, new Map())).toHaveLength(2);
  });

  it("give way to what is known of them in full", () => {
    const full = { ...eventOfRow(columns, 20), summary: "all of it" };
    const events = eventsUpTo(columns, 20, 2, new Map([[placeKey(full), full]]));
    expect(events.map((event) => event.summary === "all of it")).toEqual([false, true]);
  });

  it("are asked for before the places that come next in each stream", () => {
    expect(placesAfter(columns, 5)).toEqual({ ENCHANTED_SWARM: 16, SWARM_COORDINATION: 4 });
    expect(placesAfter(columns, 0)).toEqual({ ENCHANTED_SWARM: 4 });
  });
});
