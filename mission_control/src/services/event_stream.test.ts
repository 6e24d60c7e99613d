import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeBus, fakeSession } from "../testing/fake_bus.ts";
import type { Connection } from "../types/live.ts";
import { EventStream, type EventStreamOptions } from "./event_stream.ts";

/** What arrived, in order; "restarted" stands where what came before is past. */
interface Reading {
  readonly stream: EventStream;
  readonly said: string[];
  readonly phases: Connection["phase"][];
}

const open: EventStream[] = [];

function reading(bus: FakeBus, options: Partial<EventStreamOptions> = {}): Reading {
  const said: string[] = [];
  const phases: Connection["phase"][] = [];
  const stream = new EventStream({
    getSession: () => Promise.resolve(fakeSession),
    openBus: bus.open,
    sink: {
      arrived: (arrivals) => void said.push(...arrivals.map(({ event }) => event.summary)),
      restarted: () => void said.push("restarted"),
      changed: ({ phase }) => void phases.push(phase),
    },
    schedule: soon,
    ...options,
  });
  open.push(stream);
  void stream.run();
  return { stream, said, phases };
}

function soon(flush: () => void): () => void {
  const timer = setTimeout(flush, 16);
  return () => clearTimeout(timer);
}

/** Let everything happen that time brings. */
const later = (ms = 20_000) => vi.advanceTimersByTimeAsync(ms);
const publish = (bus: FakeBus, ...texts: string[]) => {
  for (const text of texts) bus.publish(text);
};

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  for (const stream of open.splice(0)) stream.stop();
  vi.useRealTimers();
});

describe("the event stream", () => {
  it("shows the last messages, then what arrives", async () => {
    const bus = new FakeBus();
    publish(bus, "1", "2", "3");
    const { said, phases } = reading(bus, { backlog: 2 });
    await later();
    publish(bus, "4");
    await later();
    expect(said).toEqual(["2", "3", "4"]);
    expect(phases).toEqual(["live"]);
  });

  it("goes on at the next message after the connection was lost", async () => {
    const bus = new FakeBus();
    const { said, phases } = reading(bus);
    await later();
    publish(bus, "1");
    bus.cut();
    publish(bus, "2", "3");
    await later();
    expect(said).toEqual(["1", "2", "3"]);
    expect(phases).toEqual(["live", "lost", "live"]);
  });

  it("tries again until the bus is back", async () => {
    const bus = new FakeBus();
    bus.isDown = true;
    const { said, phases } = reading(bus);
    await later(60_000);
    expect(phases).toEqual(["lost"]);
    bus.isDown = false;
    publish(bus, "1");
    await later();
    expect(said).toEqual(["1"]);
  });

  it("asks again for a delivery that got lost", async () => {
    const bus = new FakeBus();
    const { said } = reading(bus);
    await later();
    bus.lost = 1;
    publish(bus, "1", "2", "3");
    await later();
    expect(said).toEqual(["1", "2", "3"]);
  });

  it("learns from a heartbeat that the last delivery got lost", async () => {
    const bus = new FakeBus();
    const { said } = reading(bus);
    await later(100);
    bus.lost = 1;
    publish(bus, "1");
    await later(100);
    expect(said).toEqual([]);
    bus.beat();
    await later(100);
    expect(said).toEqual(["1"]);
  });

  it("begins anew when the stream is another one of the same name", async () => {
    const bus = new FakeBus();
    publish(bus, "old 1", "old 2");
    const { said } = reading(bus);
    await later();
    bus.recreate();
    publish(bus, "new 1", "new 2", "new 3");
    await later();
    expect(said).toEqual(["old 1", "old 2", "restarted", "new 1", "new 2", "new 3"]);
  });

  it("says how much it passes over when that is too much to catch up with", async () => {
    const bus = new FakeBus();
    publish(bus, "1");
    const { said, stream } = reading(bus, { backlog: 2 });
    await later();
    bus.isDown = true;
    bus.cut();
    publish(bus, ...Array.from({ length: 50_001 }, (_, index) => `${index + 2}`));
    bus.isDown = false;
    await later();
    expect(said).toEqual(["1", "restarted", "50001", "50002"]);
    expect(stream.connection).toMatchObject({ phase: "live", skipped: 49_999 });
    bus.cut();
    await later();
    expect(stream.connection).toMatchObject({ phase: "live", skipped: 0 });
  });

  it("uses the session of before while the server does not answer", async () => {
    const bus = new FakeBus();
    const getSession = vi
      .fn(() => Promise.reject<typeof fakeSession>(new Error("away")))
      .mockImplementationOnce(() => Promise.resolve(fakeSession));
    const { phases } = reading(bus, { getSession });
    await later();
    bus.cut();
    await later();
    expect(phases.at(-1)).toBe("live");
  });

  it("hands over less often while many arrive at once", async () => {
    const bus = new FakeBus();
    const pauses: number[] = [];
    const schedule = (flush: () => void, pauseMs: number) => {
      pauses.push(pauseMs);
      return soon(flush);
    };
    reading(bus, { schedule });
    await later();
    for (const count of [1, 50, 1, 1]) {
      publish(bus, ...Array.from({ length: count }, (_, index) => `${index}`));
      await later();
    }
    expect(pauses).toEqual([0, 0, 60, 0]);
  });

  it("leaves no connection behind when it stops", async () => {
    const bus = new FakeBus();
    const { stream, said } = reading(bus);
    await later();
    stream.stop();
    await later();
    publish(bus, "unseen");
    await later();
    expect([bus.connections, said]).toEqual([0, []]);
  });

  it("shows each message once and in order, whatever fails", async () => {
    const step = fc.constantFrom("publish", "publish", "publish", "cut", "lose", "wait");
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const bus = new FakeBus();
        const { said, stream } = reading(bus);
        const published: string[] = [];
        for (const name of steps) {
          if (name === "publish") published.push(`${published.length}`);
          if (name === "publish") publish(bus, `${published.length - 1}`);
          else if (name === "cut") bus.cut();
          else if (name === "lose") bus.lost = 1;
          else await later(300);
        }
        bus.lost = 0;
        await later();
        bus.beat();
        await later();
        stream.stop();
        expect(said).toEqual(published);
      }),
      { numRuns: 40 },
    );
  });
});
