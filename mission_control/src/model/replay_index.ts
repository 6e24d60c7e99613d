/**
 * What a run looked like at any of its rows, in time that does not grow with the run.
 *
 * State is kept at checkpoints; the state at a row is the nearest checkpoint before it, and the
 * rows between applied to it. Checkpoints lie as far apart as a fixed budget of memory asks.
 */
import { CATEGORY, categoryOf } from "./event_category.ts";
import type { ReplayColumns } from "./replay_columns.ts";

/** How many numbers all checkpoints together may hold: 16 MiB of them. */
const CHECKPOINT_BUDGET = 4_194_304;
const MIN_INTERVAL = 256;

/**
 * Everything of one moment. Of agents and resources, one value each, by their index in the columns;
 * -1: none yet.
 */
export interface ReplayState {
  /** The moment: everything up to this row has happened. -1: before the first. */
  readonly row: number;
  readonly events: number;
  readonly decisions: number;
  readonly changes: number;
  readonly errors: number;
  /** Newest row of each agent. */
  readonly agentRow: Int32Array;
  /** Newest row of each agent that is no signal: what it did last. */
  readonly agentAct: Int32Array;
  /** Newest signal of each agent: its status is the agent's. */
  readonly agentSignal: Int32Array;
  /** Newest decision of each agent. */
  readonly agentDecision: Int32Array;
  /** Newest failure of each agent, unless a signal of its health came after it. */
  readonly agentFailure: Int32Array;
  readonly agentEvents: Int32Array;
  readonly agentDecisions: Int32Array;
  readonly agentChanges: Int32Array;
  readonly agentErrors: Int32Array;
  /** Newest change of each resource; that row's hash tells whether it still exists. */
  readonly resourceRow: Int32Array;
}

export class ReplayIndex {
  private readonly categories: Uint8Array;
  private readonly interval: number;
  private readonly checkpoints: Working[] = [];

  constructor(readonly columns: ReplayColumns) {
    this.categories = Uint8Array.from(columns.kinds, categoryOf);
    this.interval = checkpointInterval(columns);
    const state = emptyState(columns);
    for (let row = 0; row < columns.rows; row += 1) {
      if (row % this.interval === 0) this.checkpoints.push(copyState(state));
      this.apply(state, row);
    }
  }

  /** The state when `row` has happened, and nothing after it; rows outside the run are its ends. */
  stateAt(row: number): ReplayState {
    const last = Math.min(Math.max(row, -1), this.columns.rows - 1);
    const from =
      this.checkpoints[Math.floor((last + 1) / this.interval)] ?? this.checkpoints.at(-1);
    const state = from === undefined ? emptyState(this.columns) : copyState(from);
    for (let next = state.row + 1; next <= last; next += 1) this.apply(state, next);
    return state;
  }

  private apply(state: Working, row: number): void {
    const { columns } = this;
    const agent = columns.agent[row] as number;
    const category = this.categories[columns.kind[row] as number];
    state.row = row;
    state.events += 1;
    state.agentRow[agent] = row;
    add(state.agentEvents, agent);
    if (category === CATEGORY.decision) applyDecision(state, agent, row);
    if (category === CATEGORY.change)
      applyChange(state, agent, row, columns.resource[row] as number);
    if (category === CATEGORY.signal) applySignal(state, agent, row);
    else state.agentAct[agent] = row;
    if (columns.flag[row] === 1) applyFailure(state, agent, row);
  }
}

type Working = { -readonly [Key in keyof ReplayState]: ReplayState[Key] };

function applyDecision(state: Working, agent: number, row: number): void {
  state.decisions += 1;
  state.agentDecision[agent] = row;
  add(state.agentDecisions, agent);
}

function applyChange(state: Working, agent: number, row: number, resource: number): void {
  state.changes += 1;
  add(state.agentChanges, agent);
  if (resource >= 0) state.resourceRow[resource] = row;
}

function applySignal(state: Working, agent: number, row: number): void {
  state.agentSignal[agent] = row;
  state.agentFailure[agent] = -1;
}

function applyFailure(state: Working, agent: number, row: number): void {
  state.errors += 1;
  state.agentFailure[agent] = row;
  add(state.agentErrors, agent);
}

function add(counts: Int32Array, index: number): void {
  counts[index] = (counts[index] as number) + 1;
}

function checkpointInterval(columns: ReplayColumns): number {
  const numbers = 9 * columns.agents.length + columns.resources.length + 5;
  return Math.max(MIN_INTERVAL, Math.ceil((columns.rows * numbers) / CHECKPOINT_BUDGET));
}

function emptyState(columns: ReplayColumns): Working {
  const agents = columns.agents.length;
  return {
    row: -1,
    events: 0,
    decisions: 0,
    changes: 0,
    errors: 0,
    agentRow: new Int32Array(agents).fill(-1),
    agentAct: new Int32Array(agents).fill(-1),
    agentSignal: new Int32Array(agents).fill(-1),
    agentDecision: new Int32Array(agents).fill(-1),
    agentFailure: new Int32Array(agents).fill(-1),
    agentEvents: new Int32Array(agents),
    agentDecisions: new Int32Array(agents),
    agentChanges: new Int32Array(agents),
    agentErrors: new Int32Array(agents),
    resourceRow: new Int32Array(columns.resources.length).fill(-1),
  };
}

function copyState(state: ReplayState): Working {
  return {
    ...state,
    agentRow: state.agentRow.slice(),
    agentAct: state.agentAct.slice(),
    agentSignal: state.agentSignal.slice(),
    agentDecision: state.agentDecision.slice(),
    agentFailure: state.agentFailure.slice(),
    agentEvents: state.agentEvents.slice(),
    agentDecisions: state.agentDecisions.slice(),
    agentChanges: state.agentChanges.slice(),
    agentErrors: state.agentErrors.slice(),
    resourceRow: state.resourceRow.slice(),
  };
}
