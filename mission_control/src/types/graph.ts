import type { NodeKey } from "../model/graph.ts";

/** What there is to read of a node, for people. */
export interface NodeText {
  /** Who, what and when, in a few words. */
  readonly title: string;
  /** One line of what it says, made safe to show. */
  readonly text: string;
  /** Where its event, its trace and its change are shown; empty: there is none. */
  readonly eventHref: string;
  readonly traceHref: string;
  readonly diffHref: string;
}

/** Finds what there is to read of a node; null: no longer known, or not yet. */
export type DescribeNode = (key: NodeKey) => NodeText | null;
