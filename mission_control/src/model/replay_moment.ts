/**
 * A moment of a run as the address bar and the command line write it.
 *
 * `123` is a sequence of the stream of events, `SWARM_COORDINATION-7` one of another stream; the
 * command line writes them `#123` and `SWARM_COORDINATION#7`.
 */
import { sequence } from "../types/units.ts";
import { type Place, placeOf, type ReplayColumns } from "./replay_columns.ts";

export const EVENTS_STREAM = "ENCHANTED_SWARM";
const MOMENT = /^(?:(?<stream>[A-Z][A-Z0-9_]*)-)?(?<seq>[1-9]\d{0,15})$/;

export function formatMoment(place: Place): string {
  return place.stream === EVENTS_STREAM ? String(place.seq) : `${place.stream}-${place.seq}`;
}

/** Returns null for a text that names no moment. */
export function parseMoment(text: string): Place | null {
  const groups = MOMENT.exec(text)?.groups;
  if (groups === undefined) return null;
  return { stream: groups["stream"] ?? EVENTS_STREAM, seq: sequence(Number(groups["seq"])) };
}

/** The moment as `--at` takes it. */
export function formatAt(place: Place): string {
  return place.stream === EVENTS_STREAM ? `#${place.seq}` : `${place.stream}#${place.seq}`;
}

/**
 * The last row of the place's stream at or before it: a link to an event of another run shows this
 * run as it was then. -1: all rows of that stream are later, or there are none.
 */
export function rowOfPlace(columns: ReplayColumns, place: Place): number {
  const stream = columns.streams.indexOf(place.stream);
  let found = -1;
  // Sequences ascend within a stream only, and rows of several streams are mixed: no binary search
  // over all.
  for (let row = 0; row < columns.rows; row += 1) {
    if (columns.stream[row] !== stream) continue;
    if ((columns.seq[row] as number) > place.seq) break;
    found = row;
  }
  return found;
}

/** What brings the files of a workspace back as they were at a row. */
export function restoreCommand(columns: ReplayColumns, row: number, workspaceId: string): string {
  const at = formatAt(placeOf(columns, row));
  const workspace = workspaceId === "" ? "" : ` --workspace ${shellWord(workspaceId)}`;
  return `swarm restore --at ${shellWord(at)}${workspace} --to restored-${columns.seq[row] ?? 0}`;
}

/** Workspaces that the run changes something in: its own, then others by their first change. */
export function workspacesOf(columns: ReplayColumns): readonly string[] {
  const found = new Set(columns.resources.map((resource) => resource.workspace_id));
  const own = found.delete(columns.runId) ? [columns.runId] : [];
  return [...own, ...found];
}

/** A text as a shell reads it back unchanged. */
function shellWord(text: string): string {
  return /^[\w./:@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
