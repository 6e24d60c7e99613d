/** Branded values, so that a sequence is never taken for a time, nor a trace for a span. */

declare const brand: unique symbol;
type Branded<Base, Name extends string> = Base & { readonly [brand]: Name };

/** A point in time: milliseconds since 1970 UTC, with a fraction. */
export type Milliseconds = Branded<number, "Milliseconds">;
/** Position in a stream, from 1. */
export type Sequence = Branded<number, "Sequence">;
/** 32 lower-case hex digits; empty outside a span. */
export type TraceId = Branded<string, "TraceId">;
/** 16 lower-case hex digits; empty outside a span. */
export type SpanId = Branded<string, "SpanId">;
/** UUID in its 36-character text form. */
export type EventId = Branded<string, "EventId">;

export const milliseconds = (value: number): Milliseconds => value as Milliseconds;
export const sequence = (value: number): Sequence => value as Sequence;
export const traceId = (value: string): TraceId => value as TraceId;
export const spanId = (value: string): SpanId => value as SpanId;
export const eventId = (value: string): EventId => value as EventId;
