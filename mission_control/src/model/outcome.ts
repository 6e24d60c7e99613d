/** What came of a run, line by line, from the document that ends it. Pure. */

import type { JsonColumn } from "../services/trace_api.ts";

export interface OutcomeLine {
  readonly name: string;
  readonly text: string;
  readonly tone: "good" | "warn" | "plain";
}

/** Return what was accepted and what was refused; of any other outcome its fields as they are. */
export function outcomeOf(
  outcome: Readonly<Record<string, JsonColumn>> | null,
): readonly OutcomeLine[] {
  if (outcome === null) return [];
  const lines: OutcomeLine[] = [];
  for (const [name, value] of Object.entries(outcome)) {
    if (Array.isArray(value)) lines.push(...value.map((one) => lineOf(name, one)));
    else if (value !== null && value !== "" && typeof value !== "object") {
      lines.push({ name: words(name), text: String(value), tone: "plain" });
    }
  }
  return lines;
}

function lineOf(name: string, value: JsonColumn): OutcomeLine {
  const tone = name === "accepted" ? "good" : name === "refused" ? "warn" : "plain";
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    return { name: words(name), text: String(value ?? ""), tone };
  }
  const { task, title, reason, commit, files } = value;
  const parts = [
    title ?? task,
    reason,
    Array.isArray(files) ? files.join(", ") : null,
    typeof commit === "string" ? commit.slice(0, 12) : null,
  ];
  const text = parts.filter((part) => part !== null && part !== undefined && part !== "");
  return { name: words(name), text: text.map(String).join(" · "), tone };
}

function words(name: string): string {
  const text = name.replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}
