/**
 * The workspace at a moment of a run: which of its resources exist, and what just happened to them.
 */
import { buildPathTree, type PathTree } from "./path_tree.ts";
import type { ReplayColumns, ReplayResource } from "./replay_columns.ts";
import type { ReplayState } from "./replay_index.ts";

const FILES = "FILE_SYSTEM";

/**
 * All that the run ever touches in a workspace: files by their directories, others below their
 * type.
 */
export function buildWorkspaceTree(columns: ReplayColumns, workspaceId: string): PathTree {
  const items = columns.resources.map((resource, id) => ({ path: pathOf(resource), id }));
  return buildPathTree(
    items.filter(({ id }) => columns.resources[id]?.workspace_id === workspaceId),
  );
}

/** Whether a resource exists at a moment, as far as the run has changed it. */
export function existsAt(columns: ReplayColumns, state: ReplayState, resource: number): boolean {
  const row = state.resourceRow[resource] ?? -1;
  return row >= 0 && columns.hashes[columns.hash[row] as number] !== "";
}

/** The change of a resource that a moment shows; null: it has not been changed yet. */
export function changeAt(state: ReplayState, resource: number): number | null {
  const row = state.resourceRow[resource] ?? -1;
  return row < 0 ? null : row;
}

function pathOf(resource: ReplayResource): string {
  return resource.type === FILES ? resource.name : `${resource.type}/${resource.name}`;
}
