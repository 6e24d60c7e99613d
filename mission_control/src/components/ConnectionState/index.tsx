import "./index.css";
import { useConnection } from "../../hooks/useEventStream.ts";
import type { Connection } from "../../types/live.ts";

/** How fresh what you see is; told to screen readers when it changes. */
export function ConnectionState() {
  const connection = useConnection();
  return (
    <span
      className="connection"
      data-phase={connection.phase}
      title={connection.reason || skippedWords(connection) || undefined}
    >
      <i aria-hidden="true" />
      <span role="status">{wordsOf(connection)}</span>
    </span>
  );
}

/** A log that does not go on where it was says so. */
function skippedWords({ skipped }: Connection): string {
  if (skipped === 0) return "";
  const count = skipped.toLocaleString("en");
  return `${count} events passed while there was no connection: the log begins after them, history has them.`;
}

function wordsOf({ phase, pending, skipped }: Connection): string {
  switch (phase) {
    case "live":
      return skipped > 0 ? `Live, ${roughly(skipped)} passed over` : "Live";
    case "connecting":
      return "Connecting…";
    case "lost":
      return "Lost, reconnecting…";
    case "behind":
      return `${roughly(pending)} behind`;
  }
}

/** Whole thousands, so that a screen reader is not told every number on the way. */
function roughly(count: number): string {
  return count >= 1_000 ? `${Math.round(count / 1_000)}k` : "Under 1k";
}
