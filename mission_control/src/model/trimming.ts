/**
 * Payloads cut to what lists and graphs need, so that fifty thousand of them fit into memory. Pure.
 *
 * The whole event is a request away; what was cut is asked for when somebody opens it.
 */

import type { Payload } from "../types/swarm_event.ts";
import { cutAt } from "./safe_text.ts";

const TEXT_LIMIT = 2_000;
const LIST_LIMIT = 20;

/** Return the payload with long texts, lists and bytes cut, and whether nothing had to be. */
export function trimmed(payload: Payload): {
  readonly payload: Payload;
  readonly isWhole: boolean;
} {
  const { value } = payload;
  if (value === undefined) return { payload, isWhole: true };
  const fields = value as unknown as Record<string, unknown>;
  let cut: Record<string, unknown> | null = null;
  for (const name in fields) {
    const kept = trimmedField(fields[name]);
    if (kept === fields[name]) continue;
    cut ??= { ...fields };
    cut[name] = kept;
  }
  if (cut === null) return { payload, isWhole: true };
  return { payload: { case: payload.case, value: cut } as unknown as Payload, isWhole: false };
}

function trimmedField(value: unknown): unknown {
  if (typeof value === "string") return value.length > TEXT_LIMIT ? ownCut(value) : value;
  // Bytes are a view of what came over the wire, which they would keep in memory.
  if (value instanceof Uint8Array) return value.length > 0 ? value.slice(0, TEXT_LIMIT) : value;
  if (!Array.isArray(value)) return value;
  const kept = value.slice(0, LIST_LIMIT).map(trimmedField);
  return kept.length < value.length || kept.some((item, at) => item !== value[at]) ? kept : value;
}

/** Engines let a part of a text keep the whole of it in memory; this part is a text of its own. */
function ownCut(text: string): string {
  return JSON.parse(JSON.stringify(cutAt(text, TEXT_LIMIT))) as string;
}
