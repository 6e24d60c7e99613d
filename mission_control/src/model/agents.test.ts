import { describe, expect, it } from "vitest";
import { AgentRole } from "../gen/enchanted/events/v1/events_pb.ts";
import { agentEvent, signal } from "../testing/agent_events.ts";
import type { SwarmEventView } from "../types/swarm_event.ts";
import { milliseconds } from "../types/units.ts";
import { isAtWork, withEvents, withKnown } from "./agents.ts";
import { boardOf, isSilent } from "./board.ts";

const told = (...events: SwarmEventView[]) => withEvents(new Map(), events, 100);
const decision = (rationale: string) => agentEvent({ case: "decision", value: { rationale } });

describe("an agent", () => {
  it("is what its last events say", () => {
    const agent = told(signal("HEALTHY", 10), decision("because"), signal("HEALTHY", 30)).get("a");
    expect(agent?.status).toBe("HEALTHY");
    expect(agent?.cpu).toEqual([10, 30]);
    expect(agent?.decision?.text).toBe("because");
    expect([agent?.events, agent?.decisions]).toEqual([3, 1]);
  });

  it("has failed until it says that it is well", () => {
    const failed = signal("CRITICAL_FAILURE", 0, "out of memory");
    expect(told(failed, decision("go on")).get("a")?.error?.text).toBe("out of memory");
    expect(told(failed, signal("HEALTHY", 0)).get("a")?.error).toBeNull();
  });

  it("is at work until it stops in order", () => {
    const stopped = told(signal("HEALTHY", 1), signal("STOPPED", 1)).get("a");
    expect(stopped && isAtWork(stopped)).toBe(false);
  });

  it("keeps sixty values of each series", () => {
    const beats = Array.from({ length: 100 }, (_, index) => signal("HEALTHY", index));
    expect(told(...beats).get("a")?.cpu).toHaveLength(60);
    expect(
      told(...beats)
        .get("a")
        ?.cpu.at(-1),
    ).toBe(99);
  });
});

describe("agents", () => {
  it("are bounded: the longest silent are let go", () => {
    const events = [1, 2, 3].map((number) => agentEvent({}, `a${number}`, number * 1_000));
    expect([...withEvents(new Map(), events, 2).keys()]).toEqual(["a3", "a2"]);
  });

  it("that only history knows are shown, and add to what is known of the others", () => {
    const past = {
      ...{ agent_id: "a", role: "CODER", run_id: "r", status: "HEALTHY", events: 50 },
      ...{ first_seen: "2024-01-01T00:00:00Z", last_seen: "2024-01-01T00:00:01Z" },
      ...{ decisions: 5, changes: 0, failures: 0, cpu: [{ t: 1, v: 7 }], memory: [] },
      ...{ last_decision: null, current_span: null, error: null },
    };
    const known = withKnown(told(decision("live")), [past, { ...past, agent_id: "b" }]);
    expect(known.get("a")).toMatchObject({ events: 50, status: "HEALTHY", cpu: [7] });
    expect(known.get("a")?.decision?.text).toBe("live");
    expect(known.has("b")).toBe(true);
  });
});

describe("the board", () => {
  it("shows what went wrong first, then by role and name", () => {
    const events = [
      agentEvent({}, "coder-10", 1, AgentRole.ROLE_CODER),
      agentEvent({}, "coder-2", 1, AgentRole.ROLE_CODER),
      agentEvent({}, "architect-1", 1, AgentRole.ROLE_ARCHITECT),
      signal("CRITICAL_FAILURE", 0, "lost", "reviewer-1"),
    ];
    const { present } = boardOf(told(...events).values(), milliseconds(5_000));
    const names = present.map((agent) => agent.agentId);
    expect(names).toEqual(["reviewer-1", "architect-1", "coder-2", "coder-10"]);
  });

  it("calls an agent silent that should have been heard", () => {
    const agent = told(signal("HEALTHY", 1)).get("a");
    expect(agent && isSilent(agent, milliseconds(30_000))).toBe(false);
    expect(agent && isSilent(agent, milliseconds(100_000))).toBe(true);
  });
});

describe("an event without an agent", () => {
  it("makes no agent", () => {
    expect(told(agentEvent({}, "")).size).toBe(0);
  });
});
