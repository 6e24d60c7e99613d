/** A run made ready to be scrubbed through: everything that is derived from its columns, once. */
import { buildAxis, type ReplayAxis } from "./replay_axis.ts";
import { parseReplay, type ReplayColumns, type ReplayDocument } from "./replay_columns.ts";
import { ReplayIndex } from "./replay_index.ts";
import { buildMarks } from "./replay_marks.ts";

export interface ReplayRun {
  readonly columns: ReplayColumns;
  readonly index: ReplayIndex;
  readonly axis: ReplayAxis;
  /** Rows of decisions, changes and errors. */
  readonly marks: Int32Array;
}

/** Throws ReplayFormatError for an answer that contradicts itself. */
export function buildReplay(document: ReplayDocument): ReplayRun {
  const columns = parseReplay(document);
  return {
    columns,
    index: new ReplayIndex(columns),
    axis: buildAxis(columns.timeMs),
    marks: buildMarks(columns),
  };
}

/** Who did what at a row, in a few words, as far as the columns tell. */
export function describeRow(columns: ReplayColumns, row: number): string {
  const agent = columns.agents[columns.agent[row] ?? -1]?.id ?? "";
  const kind = (columns.kinds[columns.kind[row] ?? -1] ?? "").replaceAll("_", " ");
  return [agent, kind, subjectOfRow(columns, row)].filter((word) => word !== "").join(" · ");
}

/** What a row is about: the resource that it changes, or what became of it; empty: not known. */
export function subjectOfRow(columns: ReplayColumns, row: number): string {
  const resource = columns.resources[columns.resource[row] ?? -1]?.name ?? "";
  return resource || (columns.statuses[columns.status[row] ?? -1] ?? "");
}
