/** A plan of tasks as a picture: each task right of all that it waits for. Pure. */

export interface PlannedNode {
  readonly id: string;
  /** Ids of what it waits for. */
  readonly after: readonly string[];
}

export interface PlacedNode {
  readonly id: string;
  readonly column: number;
  readonly row: number;
}

export interface PlanLayout {
  readonly nodes: readonly PlacedNode[];
  /** Pairs of ids: the second waits for the first. */
  readonly edges: readonly (readonly [string, string])[];
  readonly columns: number;
  readonly rows: number;
}

/** Place the tasks; what waits for itself round a circle stands where it was reached first. */
export function layOut(plan: readonly PlannedNode[]): PlanLayout {
  const known = new Map(plan.map((node) => [node.id, node]));
  const columns = new Map<string, number>();
  const columnOf = (id: string, open: ReadonlySet<string>): number => {
    const found = columns.get(id);
    if (found !== undefined) return found;
    if (open.has(id)) return 0;
    const before = (known.get(id)?.after ?? []).filter((one) => known.has(one) && one !== id);
    const within = new Set(open).add(id);
    const column = Math.max(-1, ...before.map((one) => columnOf(one, within))) + 1;
    columns.set(id, column);
    return column;
  };
  for (const { id } of plan) columnOf(id, new Set());
  const nodes = placed(plan, columns);
  return {
    nodes,
    edges: plan.flatMap(({ id, after }) =>
      after.filter((one) => known.has(one)).map((one) => [one, id] as const),
    ),
    columns: Math.max(0, ...nodes.map((node) => node.column + 1)),
    rows: Math.max(0, ...nodes.map((node) => node.row + 1)),
  };
}

/** Within a column, tasks stand at the height of what they wait for, so that fewer lines cross. */
function placed(
  plan: readonly PlannedNode[],
  columns: ReadonlyMap<string, number>,
): readonly PlacedNode[] {
  const rows = new Map<string, number>();
  const byColumn = new Map<number, PlannedNode[]>();
  for (const node of plan) {
    const column = columns.get(node.id) ?? 0;
    byColumn.set(column, [...(byColumn.get(column) ?? []), node]);
  }
  const height = (node: PlannedNode) => {
    const before = node.after.flatMap((id) => rows.get(id) ?? []);
    return before.length ? before.reduce((sum, row) => sum + row, 0) / before.length : 0;
  };
  for (const column of [...byColumn.keys()].sort((a, b) => a - b)) {
    const nodes = [...(byColumn.get(column) ?? [])].sort((a, b) => height(a) - height(b));
    for (const [row, node] of nodes.entries()) rows.set(node.id, row);
  }
  return plan.map(({ id }) => ({ id, column: columns.get(id) ?? 0, row: rows.get(id) ?? 0 }));
}
