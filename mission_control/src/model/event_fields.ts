/** The fields of a payload, in the order and the form in which one event is shown. Pure. */

import type { DescField } from "@bufbuild/protobuf";
import { SwarmEventSchema } from "../gen/enchanted/events/v1/events_pb.ts";
import type { Payload } from "../types/swarm_event.ts";

/** How a value is shown. */
export type Form = "text" | "code" | "diff" | "digest" | "list" | "plain";

export interface Field {
  readonly name: string;
  readonly form: Form;
  /** One text, or several where the form is `list`. */
  readonly texts: readonly string[];
}

const FORMS: Readonly<Record<string, Form>> = {
  rationale: "text",
  input_trigger: "text",
  detail: "text",
  rejected_alternatives: "list",
  memory_ids: "list",
  read_ids: "list",
  diff_patch: "diff",
  tool_arguments: "code",
  tool_result: "code",
  task_document: "code",
  run_document: "code",
  step_document: "code",
  mark_document: "code",
  memory_value: "code",
  message_text: "text",
  task_reason: "text",
  run_reason: "text",
  context_hash: "digest",
  previous_state_hash: "digest",
  new_state_hash: "digest",
  manifest_digest: "digest",
  artifact_digest: "digest",
  refused_digest: "digest",
  line_digest: "digest",
};
const OCTAL = 8;
const MICROSECONDS = 1_000;

/** Return the fields that say something: those that are not as if they had not been sent. */
export function fieldsOf(payload: Payload): readonly Field[] {
  const { value } = payload;
  if (value === undefined) return [];
  const desc = SwarmEventSchema.field[payload.case]?.message;
  const values = value as unknown as Readonly<Record<string, unknown>>;
  return (desc?.fields ?? [])
    .map((field) => fieldOf(field, values[field.localName]))
    .filter(isSaid);
}

/** Return the words for a field's name: `previous_state_hash` reads `previous state hash`. */
export function wordsOf(name: string): string {
  return name.replaceAll("_", " ");
}

function fieldOf({ name }: DescField, value: unknown): Field {
  const form = FORMS[name] ?? "plain";
  if (Array.isArray(value)) return { name, form: "list", texts: value.map(String) };
  const text = textOf(name, value);
  return { name, form, texts: text === "" ? [] : [form === "code" ? indented(text) : text] };
}

function textOf(name: string, value: unknown): string {
  if (value === undefined || value === 0 || value === 0n || value === false) return "";
  if (value instanceof Uint8Array) return value.length === 0 ? "" : `${value.length} bytes`;
  if (name === "mode") return Number(value).toString(OCTAL);
  if (name.endsWith("_us")) return `${(Number(value) / MICROSECONDS).toLocaleString("en")} ms`;
  if (name === "cost_microusd") return `$${(Number(value) / 1e6).toFixed(4)}`;
  if (name === "confidence_score") return Number(value).toFixed(2);
  if (typeof value === "number" || typeof value === "bigint") return value.toLocaleString("en");
  return String(value);
}

/** JSON with its lines; all other text as it is. */
function indented(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function isSaid(field: Field): boolean {
  return field.texts.length > 0;
}
