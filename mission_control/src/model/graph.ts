/**
 * The picture of a swarm as data: a lane per agent, a node per event, a line per cause. Bounded,
 * and never rearranged.
 *
 * Nodes are laid out when they arrive and stay where they are: each lies right of its causes, of
 * the node before it on its lane, and not left of any node that arrived earlier. Their x therefore
 * ascends with their ordinal, which makes a binary search the spatial index. Time opens gaps, up to
 * a longest one. When the room is used up, the oldest node makes room.
 */
import type { Kind, Role } from "../types/swarm_event.ts";
import type { Milliseconds } from "../types/units.ts";
import { type Category, categoryOf } from "./event_category.ts";

/**
 * How far apart two nodes of a lane lie at least, and an event from its cause, in units of the
 * picture.
 */
export const STEP = 1;
/** A second without any event opens a gap of this many units ... */
const UNITS_PER_SECOND = 1;
/** ... and no pause opens more than this. */
const LONGEST_GAP = 4;
/** Causes of one event that are drawn; the contract sets no bound. */
const MAX_CAUSES = 16;
/** Causes that have not arrived (yet): how many are remembered, and for how many effects each. */
const MAX_AWAITED = 5_000;
const MAX_AWAITING = 64;
const NONE = -1;

/** What identifies an event: its id, or its row of a replay. */
export type NodeKey = string | number;

export interface NodeInput {
  readonly key: NodeKey;
  readonly agentId: string;
  readonly role: Role;
  readonly kind: Kind;
  readonly atMs: Milliseconds;
  readonly isError: boolean;
  /** Events of a lane that follow each other in the same span are joined; empty: in none. */
  readonly span: string;
  readonly causes: readonly NodeKey[];
}

/** The events of one agent. */
export interface Lane {
  readonly index: number;
  readonly agentId: string;
  readonly role: Role;
  /** Ordinals of its nodes, ascending; those before `head` are gone. */
  readonly nodes: readonly number[];
  readonly head: number;
}

interface OwnLane extends Lane {
  nodes: number[];
  head: number;
}

export class SwarmGraph {
  /** Lanes by their index; an index is used again once all nodes of its agent are gone. */
  readonly lanes: (Lane | undefined)[] = [];
  private readonly laneOfAgent = new Map<string, OwnLane>();
  private readonly ordinalOfKey = new Map<NodeKey, number>();
  private readonly awaited = new Map<NodeKey, number[]>();
  private readonly keys: NodeKey[] = [];
  private readonly xs: Float64Array;
  private readonly times: Float64Array;
  private readonly laneIndices: Uint32Array;
  private readonly categories: Uint8Array;
  private readonly failures: Uint8Array;
  private readonly previous: Float64Array;
  private readonly spans: string[] = [];
  private readonly causeLists: (readonly number[])[] = [];
  private readonly effectLists: number[][] = [];
  private count = 0;

  /** `capacity`: nodes that are kept; the arrays for them are made at once. */
  constructor(readonly capacity: number) {
    this.xs = new Float64Array(capacity);
    this.times = new Float64Array(capacity);
    this.laneIndices = new Uint32Array(capacity);
    this.categories = new Uint8Array(capacity);
    this.failures = new Uint8Array(capacity);
    this.previous = new Float64Array(capacity);
  }

  /** Ordinal of the oldest node that is kept. */
  get first(): number {
    return Math.max(this.count - this.capacity, 0);
  }

  /** Ordinal after the newest node: how many there have ever been. */
  get end(): number {
    return this.count;
  }

  /**
   * Adds a node right of all others and returns its ordinal; one that is there already is left as
   * it is.
   */
  append(input: NodeInput): number {
    const known = this.ordinalOfKey.get(input.key);
    if (known !== undefined) return known;
    if (this.count >= this.capacity) this.forget(this.first);
    const ordinal = this.count;
    const wanted = [...new Set(input.causes)].filter((key) => key !== input.key);
    const causes = this.knownCauses(wanted);
    const lane = this.laneOf(input);
    this.place(ordinal, input, lane, causes);
    this.count += 1;
    this.ordinalOfKey.set(input.key, ordinal);
    lane.nodes.push(ordinal);
    for (const cause of causes) this.effectLists[this.slot(cause)]?.push(ordinal);
    this.awaitCauses(ordinal, wanted);
    this.linkAwaiting(ordinal, input.key);
    return ordinal;
  }

  has(ordinal: number): boolean {
    return ordinal >= this.first && ordinal < this.count;
  }

  ordinalOf(key: NodeKey): number | undefined {
    return this.ordinalOfKey.get(key);
  }

  keyOf(ordinal: number): NodeKey {
    return this.keys[this.slot(ordinal)] ?? "";
  }

  xOf(ordinal: number): number {
    return this.xs[this.slot(ordinal)] as number;
  }

  timeOf(ordinal: number): Milliseconds {
    return this.times[this.slot(ordinal)] as Milliseconds;
  }

  laneIndexOf(ordinal: number): number {
    return this.laneIndices[this.slot(ordinal)] as number;
  }

  categoryOf(ordinal: number): Category {
    return this.categories[this.slot(ordinal)] as Category;
  }

  isErrorAt(ordinal: number): boolean {
    return this.failures[this.slot(ordinal)] === 1;
  }

  /** Ordinal of the node before this one on its lane; undefined: it is the first that is kept. */
  previousOf(ordinal: number): number | undefined {
    const previous = this.previous[this.slot(ordinal)] as number;
    return this.has(previous) ? previous : undefined;
  }

  /**
   * Whether a node and the one before it on its lane happened in the same span, with no other
   * between them.
   */
  isJoined(ordinal: number): boolean {
    const previous = this.previousOf(ordinal);
    const span = this.spanOf(ordinal);
    return previous !== undefined && span !== "" && this.spanOf(previous) === span;
  }

  spanOf(ordinal: number): string {
    return this.spans[this.slot(ordinal)] ?? "";
  }

  /** Ordinals of the kept causes of a node. */
  causesOf(ordinal: number): readonly number[] {
    return (this.causeLists[this.slot(ordinal)] ?? []).filter((cause) => this.has(cause));
  }

  /** Ordinals of the nodes that name this one as a cause. */
  effectsOf(ordinal: number): readonly number[] {
    return (this.effectLists[this.slot(ordinal)] ?? []).filter((effect) => this.has(effect));
  }

  /** First kept node at or right of `x`; `end` if there is none. */
  firstAtOrAfter(x: number): number {
    let low = this.first;
    let high = this.count;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (this.xOf(middle) < x) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** First kept node of a lane at or after an ordinal. */
  firstOnLane(lane: number, ordinal: number): number | undefined {
    const found = this.lanes[lane];
    return found?.nodes[positionIn(found, ordinal)];
  }

  /** Last kept node of a lane before an ordinal. */
  lastOnLane(lane: number, ordinal: number): number | undefined {
    const found = this.lanes[lane];
    if (found === undefined) return undefined;
    const position = positionIn(found, ordinal) - 1;
    return position < found.head ? undefined : found.nodes[position];
  }

  /** The x of the oldest and of the newest node. */
  get extent(): { readonly left: number; readonly right: number } {
    if (this.count === 0) return { left: 0, right: 0 };
    return { left: this.xOf(this.first), right: this.xOf(this.count - 1) };
  }

  private slot(ordinal: number): number {
    return ordinal % this.capacity;
  }

  private place(ordinal: number, input: NodeInput, lane: OwnLane, causes: readonly number[]): void {
    const slot = this.slot(ordinal);
    const before = lane.nodes.at(-1);
    this.xs[slot] = this.nextX(input.atMs, before, causes);
    this.times[slot] = input.atMs;
    this.laneIndices[slot] = lane.index;
    this.categories[slot] = categoryOf(input.kind);
    this.failures[slot] = input.isError ? 1 : 0;
    this.previous[slot] = before ?? NONE;
    this.spans[slot] = input.span;
    this.keys[slot] = input.key;
    this.causeLists[slot] = causes;
    this.effectLists[slot] = [];
  }

  private nextX(atMs: Milliseconds, before: number | undefined, causes: readonly number[]): number {
    if (this.count === 0) return 0;
    const newest = this.count - 1;
    const passedSeconds = Math.max(atMs - this.timeOf(newest), 0) / 1_000;
    let x = this.xOf(newest) + Math.min(passedSeconds * UNITS_PER_SECOND, LONGEST_GAP);
    if (before !== undefined) x = Math.max(x, this.xOf(before) + STEP);
    for (const cause of causes) x = Math.max(x, this.xOf(cause) + STEP);
    return x;
  }

  private laneOf(input: NodeInput): OwnLane {
    const found = this.laneOfAgent.get(input.agentId);
    if (found !== undefined) return found;
    const free = this.lanes.indexOf(undefined);
    const index = free < 0 ? this.lanes.length : free;
    const { agentId, role } = input;
    const lane: OwnLane = { index, agentId, role, nodes: [], head: 0 };
    this.lanes[index] = lane;
    this.laneOfAgent.set(agentId, lane);
    return lane;
  }

  private knownCauses(keys: readonly NodeKey[]): readonly number[] {
    const causes: number[] = [];
    for (const key of keys.slice(0, MAX_CAUSES)) {
      const cause = this.ordinalOfKey.get(key);
      if (cause !== undefined) causes.push(cause);
    }
    return causes;
  }

  private awaitCauses(ordinal: number, keys: readonly NodeKey[]): void {
    for (const key of keys.slice(0, MAX_CAUSES)) {
      if (this.ordinalOfKey.has(key)) continue;
      const awaiting = this.awaited.get(key) ?? [];
      if (awaiting.length < MAX_AWAITING) awaiting.push(ordinal);
      this.awaited.set(key, awaiting);
      const oldest = this.awaited.keys().next();
      if (this.awaited.size > MAX_AWAITED && !oldest.done) this.awaited.delete(oldest.value);
    }
  }

  /** A cause that arrives after its effects, from another stream: they stay where they are. */
  private linkAwaiting(ordinal: number, key: NodeKey): void {
    const effects = this.awaited.get(key)?.filter((effect) => this.has(effect)) ?? [];
    this.awaited.delete(key);
    for (const effect of effects) {
      const slot = this.slot(effect);
      this.causeLists[slot] = [...(this.causeLists[slot] ?? []), ordinal];
      this.effectLists[this.slot(ordinal)]?.push(effect);
    }
  }

  private forget(ordinal: number): void {
    const lane = this.lanes[this.laneIndexOf(ordinal)] as OwnLane;
    this.ordinalOfKey.delete(this.keyOf(ordinal));
    lane.head += 1;
    if (lane.head === lane.nodes.length) {
      this.laneOfAgent.delete(lane.agentId);
      this.lanes[lane.index] = undefined;
    } else if (lane.head > lane.nodes.length / 2) {
      lane.nodes.splice(0, lane.head);
      lane.head = 0;
    }
  }
}

/** Position in a lane's list of its first kept node at or after an ordinal. */
function positionIn(lane: Lane, ordinal: number): number {
  let low = lane.head;
  let high = lane.nodes.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((lane.nodes[middle] as number) < ordinal) low = middle + 1;
    else high = middle;
  }
  return low;
}
