/** The part of a growing list that a filter accepts, kept up at the cost of what is new. */

import type { LiveSnapshot } from "../types/live.ts";
import type { SwarmEventView } from "../types/swarm_event.ts";

/** Accepted events of the snapshots that it was shown, in order; each event is looked at once. */
export class FilteredEvents {
  readonly #accepts: (event: SwarmEventView) => boolean;
  #list: readonly SwarmEventView[] = [];
  /** How many events were seen before each of the list. */
  #places: readonly number[] = [];
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
    if (dropped > this.#letGo) this.#letGoBefore(dropped);
    const fresh: SwarmEventView[] = [];
    const places: number[] = [];
    for (let index = Math.max(this.#seen - dropped, 0); index < events.length; index += 1) {
      const event = events[index];
      if (!event || !this.#accepts(event)) continue;
      fresh.push(event);
      places.push(dropped + index);
    }
    this.#seen = dropped + events.length;
    if (fresh.length === 0) return this.#list;
    this.#list = this.#list.concat(fresh);
    this.#places = this.#places.concat(places);
    return this.#list;
  }

  #letGoBefore(dropped: number): void {
    this.#letGo = dropped;
    const first = this.#places.findIndex((place) => place >= dropped);
    const gone = first < 0 ? this.#places.length : first;
    this.#list = this.#list.slice(gone);
    this.#places = this.#places.slice(gone);
  }

  #begin(generation: number): void {
    this.#generation = generation;
    this.#list = [];
    this.#places = [];
    this.#seen = 0;
    this.#letGo = 0;
  }
}
