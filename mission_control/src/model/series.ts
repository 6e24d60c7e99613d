/** Whether the result of a query can be drawn, and how. Pure. */

import type { JsonColumn, SqlResult } from "../services/trace_api.ts";

export interface Series {
  readonly name: string;
  /** One per point; null: there is no value. */
  readonly values: readonly (number | null)[];
}

export interface Chart {
  readonly form: "line" | "bars";
  /** What the points stand above: times in milliseconds for a line, names for bars. */
  readonly labels: readonly string[];
  /** Where the points stand, from 0 to 1. */
  readonly places: readonly number[];
  readonly series: readonly Series[];
}

const MAX_POINTS = 2_000;
const MAX_BARS = 40;
const MAX_SERIES = 6;
const TIME = /^(Nullable\()?Date(Time)?/;
const NUMBER = /^(Nullable\()?(U?Int|Float|Decimal|BFloat)/;
const NAME = /^(LowCardinality\()?(Nullable\()?(String|FixedString|Enum|UUID)/;

/** Return the chart of a result, or null where it is no series: times or names first, then numbers. */
export function chartOf({ columns, rows }: SqlResult): Chart | null {
  const [first, ...rest] = columns;
  const numbers = rest.flatMap((column, index) => (NUMBER.test(column.type) ? [index + 1] : []));
  if (!first || rows.length < 2 || numbers.length === 0 || numbers.length !== rest.length) {
    return null;
  }
  const drawn = numbers.slice(0, MAX_SERIES);
  const series = drawn.map((index) => ({
    name: columns[index]?.name ?? "",
    values: rows.map((row) => numberOf(row[index])),
  }));
  const labels = rows.map((row) => String(row[0] ?? ""));
  if (TIME.test(first.type) || NUMBER.test(first.type)) {
    return rows.length > MAX_POINTS ? null : lineOf(first.type, rows, labels, series);
  }
  if (!NAME.test(first.type) || rows.length > MAX_BARS) return null;
  const places = rows.map((_, index) => (index + 0.5) / rows.length);
  return { form: "bars", labels, places, series };
}

/** Return round values for the axis of a chart, from 0 up. */
export function axisOf(highest: number): readonly number[] {
  if (highest <= 0) return [0, 1];
  const size = 10 ** Math.floor(Math.log10(highest));
  const step = ([0.25, 0.5, 1, 2].find((factor) => highest / (factor * size) <= 5) ?? 2) * size;
  return Array.from({ length: Math.ceil(highest / step) + 1 }, (_, index) => index * step);
}

/** Return the highest value of all series, at least 0. */
export function highestOf(series: readonly Series[]): number {
  return Math.max(0, ...series.flatMap(({ values }) => values.map((value) => value ?? 0)));
}

function lineOf(
  type: string,
  rows: readonly (readonly JsonColumn[])[],
  labels: readonly string[],
  series: readonly Series[],
): Chart | null {
  const at = rows.map((row) => (TIME.test(type) ? timeOf(row[0]) : numberOf(row[0])));
  const known = at.filter((value): value is number => value !== null);
  if (known.length !== at.length || !isOrdered(known)) return null;
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const places = known.map((value) => (high > low ? (value - low) / (high - low) : 0.5));
  return { form: "line", labels, places, series };
}

/** Numbers beyond what a double holds come as text. */
function numberOf(value: JsonColumn | undefined): number | null {
  if (value === null || value === undefined || value === "") return null;
  const number = Number(value);
  return Number.isFinite(number) ? number : null;
}

function timeOf(value: JsonColumn | undefined): number | null {
  const time = Date.parse(String(value ?? "").replace(" ", "T"));
  return Number.isNaN(time) ? null : time;
}

function isOrdered(values: readonly number[]): boolean {
  const rises = values.every((value, index) => index === 0 || value >= (values[index - 1] ?? 0));
  return rises || values.every((value, index) => index === 0 || value <= (values[index - 1] ?? 0));
}
