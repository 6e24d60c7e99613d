import "./index.css";
import { memo } from "react";
import { safeLine } from "../../model/safe_text.ts";
import { clock } from "../../model/time_text.ts";
import type { SwarmEventView } from "../../types/swarm_event.ts";
import { KindMark } from "../KindMark/index.tsx";
import { RoleMark } from "../RoleMark/index.tsx";

interface LogRowProps {
  readonly id: string;
  readonly event: SwarmEventView;
  /** Distance from the beginning of the list, in pixels. */
  readonly top: number;
  readonly height: number;
  readonly position: number;
  readonly count: number;
  readonly isSelected: boolean;
  readonly isActive: boolean;
  readonly onOpen: (event: SwarmEventView) => void;
}

const AGENT_LIMIT = 64;

/** One event in one line; in two where there is little room. */
export const LogRow = memo(function LogRow(props: LogRowProps) {
  const { event, isSelected, isActive } = props;
  return (
    // The list around it has the focus and hears the keys (aria-activedescendant).
    <div
      id={props.id}
      role="option"
      tabIndex={-1}
      className="log-row"
      aria-selected={isSelected}
      aria-setsize={props.count}
      aria-posinset={props.position + 1}
      data-active={isActive || undefined}
      data-error={event.isError || undefined}
      style={{ transform: `translateY(${props.top}px)`, height: props.height }}
      onClick={() => props.onOpen(event)}
      onKeyDown={() => undefined}
    >
      <time className="log-time mono" dateTime={event.at}>
        {clock(event.atMs)}
      </time>
      <span className="log-agent">
        <RoleMark role={event.role} />
        <span className="untrusted line">{safeLine(event.agentId, AGENT_LIMIT) || "–"}</span>
      </span>
      <KindMark kind={event.kind} />
      <span className="log-text untrusted line">
        {event.isError ? <span className="log-error">failed</span> : null}
        {event.summary}
      </span>
    </div>
  );
});
