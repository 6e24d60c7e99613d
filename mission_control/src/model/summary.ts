/** What an event says, in one line. Pure. */

import type { Payload } from "../types/swarm_event.ts";
import { safeLine } from "./safe_text.ts";

const LINE_LIMIT = 240;
const ARGUMENT_LIMIT = 4_000;
const FAILED_STATES = new Set(["FAILED", "DEAD", "REFUSED"]);
const CRITICAL_FAILURE = "CRITICAL_FAILURE";

/** Return the one line that lists show for a payload. */
export function summaryOf(payload: Payload, undecodableReason: string): string {
  return safeLine(undecodableReason || words(payload), LINE_LIMIT);
}

/** Return whether the event tells of a failure. */
export function tellsOfFailure(payload: Payload, undecodableReason: string): boolean {
  switch (payload.case) {
    case "systemSignal":
      return payload.value.status === CRITICAL_FAILURE;
    case "toolCall":
      return !["ok", ""].includes(payload.value.toolOutcome);
    case "modelCall":
      return !["ok", ""].includes(payload.value.modelOutcome);
    case "taskTransition":
      return FAILED_STATES.has(payload.value.taskState);
    case "runTransition":
      return FAILED_STATES.has(payload.value.runState);
    case "tombstone":
      return true;
    default:
      return undecodableReason !== "";
  }
}

/** Return the name of the resource that the payload changes, or null. */
export function resourceOf(payload: Payload): string | null {
  return payload.case === "stateChange" ? payload.value.targetResource : null;
}

function words(payload: Payload): string {
  switch (payload.case) {
    case "decision":
      return payload.value.rationale || payload.value.inputTrigger;
    case "stateChange":
      return joined(changed(payload.value), payload.value.targetResource);
    case "systemSignal":
      return joined(payload.value.status, payload.value.detail);
    case "tombstone":
      return joined("not sent:", payload.value.refusedKind, payload.value.tombstoneReason);
    case "workspaceCreated":
      return joined("workspace", payload.value.createdWorkspaceId);
    case "toolCall":
      return toolWords(payload.value);
    case "taskTransition":
      return joined(
        payload.value.taskId,
        became(payload.value.taskState),
        payload.value.taskReason,
      );
    case "runTransition":
      return joined("run", became(payload.value.runState), payload.value.runReason);
    case "modelCall":
      return joined(
        payload.value.modelName,
        payload.value.modelOutcome,
        `${payload.value.inputTokens} in, ${payload.value.outputTokens} out`,
      );
    default:
      return otherWords(payload);
  }
}

/** Kinds without words of their own show their texts, in the contract's order. */
function otherWords(payload: Payload): string {
  if (payload.value === undefined) return "a kind that this version does not know";
  const { $typeName: _, ...fields } = payload.value;
  const shown = Object.values(fields as Record<string, unknown>);
  return joined(...shown.filter((value) => typeof value === "string"));
}

/** A tool's name and what it was given; what came of it only where that is not plain. */
function toolWords(call: { toolName: string; toolOutcome: string; toolArguments: string }): string {
  const outcome = call.toolOutcome === "ok" ? "" : call.toolOutcome;
  return joined(call.toolName, outcome, argumentWords(call.toolArguments));
}

/** The values of a short JSON object; all else as it is. */
function argumentWords(text: string): string {
  if (text.length > ARGUMENT_LIMIT) return text;
  try {
    const values: unknown[] = Object.values(JSON.parse(text) as object);
    return values
      .map((value) => (typeof value === "string" ? value : JSON.stringify(value)))
      .join(" ");
  } catch {
    return text;
  }
}

function became(state: string): string {
  return state && `→ ${state.toLowerCase()}`;
}

function changed(change: { previousStateHash: string; newStateHash: string; renamedFrom: string }) {
  if (change.renamedFrom) return "renamed";
  if (!change.newStateHash) return "deleted";
  return change.previousStateHash ? "changed" : "created";
}

function joined(...parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join(" ");
}
