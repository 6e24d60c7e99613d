/**
 * Paths as a tree that is built once and shown with whatever exists of it.
 *
 * Nodes stand in the order in which a tree is read, so that the descendants of a node are the nodes
 * right after it, and what exists below one is a difference of two counts. Who changes what exists
 * builds nothing anew.
 */

export interface PathItem {
  readonly path: string;
  /** What the caller knows the item by, such as an index; not negative. */
  readonly id: number;
}

export interface PathNode {
  /** Unique in the tree; that of a directory ends with a slash. */
  readonly key: string;
  /** Last part of the path; of directories that hold one directory only, their parts together. */
  readonly label: string;
  readonly depth: number;
  /** Index after the last descendant. */
  readonly end: number;
  /** Id of the item; -1: a directory. */
  readonly id: number;
}

export type PathTree = readonly PathNode[];

/** A line of a tree as it is shown. */
export interface TreeLine {
  readonly key: string;
  readonly label: string;
  readonly depth: number;
  readonly id: number;
  readonly isDirectory: boolean;
  readonly isExpanded: boolean;
  /** How many items exist below a directory; 1 for an item. */
  readonly count: number;
}

/** Builds the tree: directories before items, each in the order of their names. */
export function buildPathTree(items: Iterable<PathItem>): PathTree {
  const root = emptyDraft();
  for (const { path, id } of items) insert(root, partsOf(path), id);
  const nodes: PathNode[] = [];
  flatten(root, "", 0, nodes);
  return nodes;
}

/** The lines to show: items for which `exists` holds, below directories that are not collapsed. */
export function linesOf(
  tree: PathTree,
  exists: (id: number) => boolean,
  collapsed: ReadonlySet<string>,
): readonly TreeLine[] {
  const counts = countsBefore(tree, exists);
  const lines: TreeLine[] = [];
  for (let index = 0; index < tree.length; ) {
    const node = tree[index] as PathNode;
    const count = (counts[node.end] as number) - (counts[index] as number);
    const isOpen = count > 0 && !collapsed.has(node.key);
    if (count > 0) lines.push(lineOf(node, isOpen, count));
    index = isOpen ? index + 1 : node.end;
  }
  return lines;
}

interface Draft {
  readonly directories: Map<string, Draft>;
  readonly items: Map<string, number>;
}

function emptyDraft(): Draft {
  return { directories: new Map(), items: new Map() };
}

function partsOf(path: string): readonly string[] {
  const parts = path.split("/").filter((part) => part !== "");
  return parts.length > 0 ? parts : [path];
}

function insert(root: Draft, parts: readonly string[], id: number): void {
  let draft = root;
  for (const part of parts.slice(0, -1)) {
    const found = draft.directories.get(part) ?? emptyDraft();
    draft.directories.set(part, found);
    draft = found;
  }
  draft.items.set(parts.at(-1) ?? "", id);
}

function flatten(draft: Draft, prefix: string, depth: number, nodes: PathNode[]): void {
  for (const [name, child] of sortedByName(draft.directories)) {
    const { label, inner } = joined(name, child);
    const key = `${prefix}${label}/`;
    const index = nodes.length;
    nodes.push({ key, label, depth, id: -1, end: 0 });
    flatten(inner, key, depth + 1, nodes);
    nodes[index] = { key, label, depth, id: -1, end: nodes.length };
  }
  for (const [label, id] of sortedByName(draft.items)) {
    nodes.push({ key: prefix + label, label, depth, id, end: nodes.length + 1 });
  }
}

/** A directory that holds nothing but one directory is shown as one line with it. */
function joined(name: string, draft: Draft): { label: string; inner: Draft } {
  let label = name;
  let inner = draft;
  while (inner.items.size === 0 && inner.directories.size === 1) {
    const [[part, next]] = [...inner.directories] as [[string, Draft]];
    label += `/${part}`;
    inner = next;
  }
  return { label, inner };
}

function sortedByName<Value>(entries: ReadonlyMap<string, Value>): [string, Value][] {
  // By code units: the same on every machine, whatever its language.
  return [...entries].sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0));
}

function countsBefore(tree: PathTree, exists: (id: number) => boolean): Uint32Array {
  const counts = new Uint32Array(tree.length + 1);
  tree.forEach((node, index) => {
    const own = node.id >= 0 && exists(node.id) ? 1 : 0;
    counts[index + 1] = (counts[index] as number) + own;
  });
  return counts;
}

function lineOf(node: PathNode, isOpen: boolean, count: number): TreeLine {
  const { key, label, depth, id } = node;
  const isDirectory = id < 0;
  return { key, label, depth, id, count, isDirectory, isExpanded: isDirectory && isOpen };
}

/** Return the keys of collapsed directories after one of them was opened or closed. */
export function toggled(keys: ReadonlySet<string>, key: string): ReadonlySet<string> {
  const next = new Set(keys);
  if (!next.delete(key)) next.add(key);
  return next;
}
