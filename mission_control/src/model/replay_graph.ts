/** A run as a graph: all of its rows at once, of which a moment shows the first ones. */
import type { Milliseconds } from "../types/units.ts";
import { type NodeInput, SwarmGraph } from "./graph.ts";
import type { ReplayColumns } from "./replay_columns.ts";

/** Rows laid out between two breaths: a few milliseconds of work. */
const ROWS_PER_TURN = 4_000;

/** Lays out a run bit by bit, so that the page stays responsive; ordinals are rows. */
export class ReplayGraph {
  readonly graph: SwarmGraph;

  constructor(private readonly columns: ReplayColumns) {
    this.graph = new SwarmGraph(Math.max(columns.rows, 1));
  }

  get isDone(): boolean {
    return this.graph.end >= this.columns.rows;
  }

  /** Lays out some more rows. */
  proceed(): void {
    const until = Math.min(this.graph.end + ROWS_PER_TURN, this.columns.rows);
    for (let row = this.graph.end; row < until; row += 1) this.graph.append(this.nodeOf(row));
  }

  private nodeOf(row: number): NodeInput {
    const { columns } = this;
    const agent = columns.agents[columns.agent[row] as number];
    const cause = columns.cause[row] as number;
    return {
      key: row,
      agentId: agent?.id ?? "",
      role: agent?.role ?? "",
      kind: columns.kinds[columns.kind[row] as number] ?? "",
      atMs: columns.timeMs[row] as Milliseconds,
      isError: columns.flag[row] === 1,
      // Columns name traces, not spans; a stretch in one trace is the nearest that there is.
      span: columns.traces[columns.trace[row] as number] ?? "",
      causes: cause < 0 ? [] : [cause],
    };
  }
}
