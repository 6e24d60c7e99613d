/**
 * What the swarm does now: the last events in order, what they say of each agent, how many there are.
 *
 * One bounded store, outside React; each flush of the event stream makes one new snapshot. The
 * transitions are pure functions of `model/`.
 */

import { type Agents, withEvents, withKnown } from "../model/agents.ts";
import { appended } from "../model/bounded.ts";
import { counted, movedTo, NO_RATE, type RateBins } from "../model/rate.ts";
import type { Agent } from "../services/trace_api.ts";
import type { LiveSnapshot } from "../types/live.ts";
import type { SwarmEventView } from "../types/swarm_event.ts";
import type { Milliseconds } from "../types/units.ts";

/** An event as the bus delivered it. */
export interface Arrival {
  readonly event: SwarmEventView;
  /** When it was stored, by the server's clock: the order among streams. */
  readonly storedMs: Milliseconds;
}

export const EVENT_BOUND = 50_000;
const EVENT_SLACK = 5_000;
const AGENT_BOUND = 2_000;
const NOTHING: LiveSnapshot = {
  events: [],
  dropped: 0,
  generation: 0,
  agents: new Map(),
  rate: NO_RATE.counts,
};

export class LiveStore {
  #snapshot = NOTHING;
  #rate: RateBins = NO_RATE;
  /** What the events that arrived say of agents; history's word on the same events comes apart. */
  #heard: Agents = new Map();
  #known: readonly Agent[] = [];
  readonly #listeners = new Set<() => void>();
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  readonly snapshot = (): LiveSnapshot => this.#snapshot;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Take what arrived since the last flush, in the order of the bus. */
  add(arrivals: readonly Arrival[]): void {
    const events = arrivals.map((arrival) => arrival.event);
    const { list, dropped } = appended(this.#snapshot.events, events, EVENT_BOUND, EVENT_SLACK);
    const storedMs = arrivals.map((arrival) => arrival.storedMs);
    this.#rate = counted(this.#rate, storedMs, this.#now());
    this.#heard = withEvents(this.#heard, events, AGENT_BOUND);
    this.#show({
      events: list,
      dropped: this.#snapshot.dropped + dropped,
      agents: withKnown(this.#heard, this.#known),
      rate: this.#rate.counts,
    });
  }

  /** Take what history knows of the agents. */
  know(agents: readonly Agent[]): void {
    this.#known = agents;
    this.#show({ agents: withKnown(this.#heard, agents) });
  }

  /** Forget the events of a stream that is another one now, and what they said of agents. */
  forget(stream: string): void {
    const events = this.#snapshot.events.filter((event) => event.stream !== stream);
    this.#heard = withEvents(new Map(), events, AGENT_BOUND);
    const agents = withKnown(this.#heard, this.#known);
    const generation = this.#snapshot.generation + 1;
    this.#show({ events, dropped: 0, generation, agents });
  }

  /** Let the rate fall while nothing arrives. */
  tick(): void {
    const moved = movedTo(this.#rate, Math.floor(this.#now() / 1000));
    if (moved === this.#rate) return;
    this.#rate = moved;
    this.#show({ rate: moved.counts });
  }

  #show(changed: Partial<LiveSnapshot>): void {
    this.#snapshot = { ...this.#snapshot, ...changed };
    for (const listener of this.#listeners) listener();
  }
}
