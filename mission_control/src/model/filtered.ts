/** The part of a growing list that a filter accepts, kept up at the cost of what is new. */

import type { LiveSnapshot } from "../types/live.ts";
import type { SwarmEventView } from "../types/swarm_event.ts";

/** Accepted events of the snapshots that it was shown, in order; each event is looked at once. */
export class FilteredEvents {
  readonly #accepts: (event: SwarmEventView) => boolean;
  #list: readonly SwarmEventView[] = [];
  #generation = -1;
  /** Events looked at so far, those that the store let go included. */
  #seen = 0;
  #letGo = 0;

  constructor(accepts: (event: SwarmEventView) => boolean) {
    this.#accepts = accepts;
  }

  /** Return the accepted events of a snapshot; the same list when nothing was added to it. */
  of(snapshot: Pick<LiveSnapshot, "events" | "dropped" | "generation">): readonly SwarmEventView[] {
    const { events, dropped, generation } = snapshot;
    if (generation !== this.#generation) this.#begin(generation);
    const fresh = events.slice(Math.max(this.#seen - dropped, 0)).filter(this.#accepts);
    this.#seen = dropped + events.length;
    const oldest = dropped > this.#letGo ? events[0] : undefined;
    this.#letGo = dropped;
    if (oldest) this.#list = this.#list.slice(this.#firstKept(new Set(events)));
    if (fresh.length > 0) this.#list = this.#list.concat(fresh);
    return this.#list;
  }

  #firstKept(kept: ReadonlySet<SwarmEventView>): number {
    const first = this.#list.findIndex((event) => kept.has(event));
    return first < 0 ? this.#list.length : first;
  }

  #begin(generation: number): void {
    this.#generation = generation;
    this.#list = [];
    this.#seen = 0;
    this.#letGo = 0;
  }
}
