/** A trace as rows of a waterfall: spans below their parents, events at their instants. Pure. */

import type { Span } from "../services/trace_api.ts";
import type { SwarmEventView } from "../types/swarm_event.ts";
import type { Milliseconds } from "../types/units.ts";

export interface WaterfallRow {
  readonly span: Span;
  readonly depth: number;
  /** Where it begins and how long it takes, as shares of the whole trace. */
  readonly start: number;
  readonly share: number;
  readonly durationMs: number;
  /** Milliseconds after the trace began. */
  readonly offsetMs: number;
  readonly isError: boolean;
  readonly events: readonly PlacedEvent[];
}

export interface PlacedEvent {
  readonly event: SwarmEventView;
  /** Share of the whole trace. */
  readonly at: number;
}

export interface Waterfall {
  readonly rows: readonly WaterfallRow[];
  /** Events that belong to no span of this trace that is known, as to one that has not ended. */
  readonly loose: readonly PlacedEvent[];
  readonly beginMs: Milliseconds;
  readonly durationMs: number;
}

const NS = 1_000_000;
const OPENTELEMETRY_ERROR = "Error";

/** Return the rows of a trace; a span whose parent is not known stands at the left. */
export function waterfallOf(spans: readonly Span[], events: readonly SwarmEventView[]): Waterfall {
  const known = new Map(spans.map((span) => [span.span_id, span]));
  const [begin, end] = extentOf(spans, events);
  const length = Math.max(end - begin, 1e-6);
  const shareAt = (ms: number) => Math.min(Math.max((ms - begin) / length, 0), 1);
  const bySpan = new Map<string, PlacedEvent[]>();
  const loose: PlacedEvent[] = [];
  for (const event of events) {
    const placed = { event, at: shareAt(event.atMs) };
    if (!known.has(event.spanId)) loose.push(placed);
    else append(bySpan, event.spanId, placed);
  }
  const rows = inTreeOrder(spans, known).map(({ span, depth }) => {
    const startMs = startOf(span);
    const durationMs = span.duration_ns / NS;
    return {
      span,
      depth,
      start: shareAt(startMs),
      share: durationMs / length,
      durationMs,
      offsetMs: startMs - begin,
      isError: span.status === OPENTELEMETRY_ERROR,
      events: bySpan.get(span.span_id) ?? [],
    };
  });
  return { rows, loose, beginMs: begin as Milliseconds, durationMs: end - begin };
}

/** Return round instants for the axis of a trace, in milliseconds after its beginning. */
export function ticksOf(durationMs: number, count: number): readonly number[] {
  if (durationMs <= 0) return [0];
  const rough = durationMs / count;
  const size = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * size >= rough) ?? 10) * size;
  return Array.from({ length: Math.floor(durationMs / step) + 1 }, (_, index) => index * step);
}

function inTreeOrder(spans: readonly Span[], known: ReadonlyMap<string, Span>) {
  const children = new Map<string, Span[]>();
  const roots: Span[] = [];
  for (const span of spans) {
    if (known.has(span.parent_span_id)) append(children, span.parent_span_id, span);
    else roots.push(span);
  }
  const ordered: { span: Span; depth: number }[] = [];
  const seen = new Set<Span>();
  const todo = byStart(roots).map((span) => ({ span, depth: 0 }));
  for (let next = todo.shift(); next !== undefined; next = todo.shift()) {
    if (seen.has(next.span)) continue;
    seen.add(next.span);
    ordered.push(next);
    const depth = next.depth + 1;
    todo.unshift(
      ...byStart(children.get(next.span.span_id) ?? []).map((span) => ({ span, depth })),
    );
  }
  // Spans that are each other's parents are reached from no root.
  for (const span of spans) if (!seen.has(span)) ordered.push({ span, depth: 0 });
  return ordered;
}

function byStart(spans: readonly Span[]): readonly Span[] {
  return [...spans].sort((a, b) => startOf(a) - startOf(b) || b.duration_ns - a.duration_ns);
}

function extentOf(spans: readonly Span[], events: readonly SwarmEventView[]): [number, number] {
  let [begin, end] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const span of spans) {
    const start = startOf(span);
    begin = Math.min(begin, start);
    end = Math.max(end, start + span.duration_ns / NS);
  }
  for (const { atMs } of events) {
    begin = Math.min(begin, atMs);
    end = Math.max(end, atMs);
  }
  return begin <= end ? [begin, end] : [0, 0];
}

/** Nanoseconds since 1970 have more digits than a number: whole milliseconds and their rest do not. */
function startOf(span: Span): number {
  const whole = Number(span.start_ns.slice(0, -6) || "0");
  return whole + Number(span.start_ns.slice(-6)) / NS;
}

function append<Key, Value>(lists: Map<Key, Value[]>, key: Key, value: Value): void {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
}
