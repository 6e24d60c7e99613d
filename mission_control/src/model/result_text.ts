/** The cells of a result, for the screen and for the clipboard. Pure. */

import type { JsonColumn, SqlResult } from "../services/trace_api.ts";

/** Return a cell as text; lists and maps as JSON. */
export function cellText(cell: JsonColumn | undefined): string {
  if (cell === null || cell === undefined) return "";
  return typeof cell === "object" ? JSON.stringify(cell) : String(cell);
}

/** Return the result as CSV (RFC 4180), with a header line. */
export function csvOf({ columns, rows }: SqlResult): string {
  const lines = [columns.map(({ name }) => name), ...rows.map((row) => row.map(cellText))];
  return lines.map((cells) => `${cells.map(quoted).join(",")}\r\n`).join("");
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
