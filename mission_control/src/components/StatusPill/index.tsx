import "./index.css";
import { safeLine } from "../../model/safe_text.ts";

export type Tone = "good" | "warn" | "bad" | "info" | "idle";

const TONES: Readonly<Record<string, Tone>> = {
  HEALTHY: "good",
  STARTING: "info",
  STOPPED: "idle",
  CRITICAL_FAILURE: "bad",
  SUCCEEDED: "good",
  DONE: "good",
  RUNNING: "info",
  PLANNING: "info",
  REVIEW: "info",
  READY: "idle",
  PENDING: "idle",
  PAUSED: "warn",
  CANCELLING: "warn",
  CANCELLED: "idle",
  REFUSED: "warn",
  FAILED: "bad",
  DEAD: "bad",
};
// Each tone has a shape of its own: colour is never the only sign.
const SHAPES: Readonly<Record<Tone, string>> = {
  good: "M3 8.5 6.5 12 13 4.5",
  warn: "M8 3v6M8 12v1",
  bad: "M4 4l8 8M12 4l-8 8",
  info: "M5 3.5v9l7-4.5z",
  idle: "M4 8h8",
};

const STATUS_LENGTH = 40;

/** Return the tone that a status of an agent, task or run is shown in. */
export function toneOf(status: string): Tone {
  return TONES[status] ?? "idle";
}

/** A status in words, with a shape and a colour. */
export function StatusPill({ status, tone }: { readonly status: string; readonly tone?: Tone }) {
  const shown = tone ?? toneOf(status);
  return (
    <span className="status-pill" data-tone={shown}>
      <svg viewBox="0 0 16 16" width="10" height="10" aria-hidden="true">
        <path d={SHAPES[shown]} fill="none" stroke="currentColor" strokeWidth="2.5" />
      </svg>
      <span className="untrusted">
        {safeLine(status, STATUS_LENGTH).toLowerCase().replaceAll("_", " ")}
      </span>
    </span>
  );
}
