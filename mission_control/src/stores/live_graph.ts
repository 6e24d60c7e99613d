/** The graph of what happens now: takes each event of the live store once, in its order. */
import { type NodeInput, type NodeKey, SwarmGraph } from "../model/graph.ts";
import type { LiveSnapshot } from "../types/live.ts";
import type { SwarmEventView } from "../types/swarm_event.ts";

/** Nodes that are kept; what is older is in the runs' own pages. */
export const LIVE_NODES = 20_000;

export class LiveGraph {
  #graph = new SwarmGraph(LIVE_NODES);
  /** The event of each node, by its ordinal modulo the capacity. */
  readonly #events: SwarmEventView[] = [];
  #generation = 0;
  /** Events taken or passed over so far, those that the store let go included. */
  #taken = 0;
  readonly #accepts: (event: SwarmEventView) => boolean;
  readonly #earlier: readonly SwarmEventView[];

  /**
   * For its whole life, `accepts` chooses the events that are shown, and `earlier` are those from
   * before the live ones, oldest first.
   */
  constructor(
    accepts: (event: SwarmEventView) => boolean,
    earlier: readonly SwarmEventView[] = [],
  ) {
    this.#accepts = accepts;
    this.#earlier = earlier;
    for (const event of earlier) this.#append(event);
  }

  get graph(): SwarmGraph {
    return this.#graph;
  }

  /** Take what is new in a snapshot; says whether anything was. */
  take(snapshot: LiveSnapshot): boolean {
    if (snapshot.generation !== this.#generation) this.#begin(snapshot.generation);
    const { events, dropped } = snapshot;
    const from = Math.max(this.#taken - dropped, 0);
    for (let index = from; index < events.length; index += 1) {
      const event = events[index] as SwarmEventView;
      if (this.#accepts(event)) this.#append(event);
    }
    const isNew = from < events.length;
    this.#taken = dropped + events.length;
    return isNew;
  }

  /** The event of a node; undefined: it is no longer kept. */
  eventOf(key: NodeKey): SwarmEventView | undefined {
    const ordinal = this.#graph.ordinalOf(key);
    return ordinal === undefined ? undefined : this.#events[ordinal % LIVE_NODES];
  }

  #append(event: SwarmEventView): void {
    const ordinal = this.#graph.append(nodeOfEvent(event));
    this.#events[ordinal % LIVE_NODES] = event;
  }

  #begin(generation: number): void {
    this.#graph = new SwarmGraph(LIVE_NODES);
    this.#generation = generation;
    this.#taken = 0;
    for (const event of this.#earlier) this.#append(event);
  }
}

/** What the graph knows an event by: its id; what is no event has none of its own. */
export function keyOfEvent(event: SwarmEventView): string {
  return event.undecodableReason === "" ? event.id : `${event.stream}#${event.seq}`;
}

function nodeOfEvent(event: SwarmEventView): NodeInput {
  const { agentId, role, kind, atMs, isError } = event;
  return {
    key: keyOfEvent(event),
    agentId,
    role,
    kind,
    atMs,
    isError,
    span: event.spanId,
    causes: event.causedBy,
  };
}
