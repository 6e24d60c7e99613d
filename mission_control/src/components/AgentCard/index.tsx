import "./index.css";
import { memo } from "react";
import { safeLine } from "../../model/safe_text.ts";
import { ago } from "../../model/time_text.ts";
import type { AgentNow } from "../../types/live.ts";
import type { Milliseconds } from "../../types/units.ts";
import { KindMark } from "../KindMark/index.tsx";
import { RoleMark } from "../RoleMark/index.tsx";
import { Sparkline } from "../Sparkline/index.tsx";
import { StatusPill, type Tone } from "../StatusPill/index.tsx";

interface AgentCardProps {
  readonly agent: AgentNow;
  readonly now: Milliseconds;
  /** Nothing was heard for longer than its heartbeat. */
  readonly isSilent: boolean;
  readonly isSelected: boolean;
  readonly onSelect: (agentId: string) => void;
}

const NAME_LIMIT = 64;
const SPAN_LIMIT = 8;
const FULL_CORE = 100;

/** One agent at a glance: who, how it is, what it does, why, and what that costs the machine. */
export const AgentCard = memo(function AgentCard(props: AgentCardProps) {
  const { agent, now, isSilent, isSelected, onSelect } = props;
  const { status, tone } = statusOf(agent, isSilent);
  return (
    <button
      type="button"
      className="agent-card"
      data-tone={tone}
      aria-pressed={isSelected}
      onClick={() => onSelect(agent.agentId)}
    >
      <span className="agent-head">
        <RoleMark role={agent.role} />
        <span className="agent-name untrusted line">{safeLine(agent.agentId, NAME_LIMIT)}</span>
        <StatusPill status={status} tone={tone} />
      </span>
      <AgentDoing agent={agent} />
      <AgentWhy agent={agent} />
      <span className="agent-foot">
        <Meter name="cpu" values={agent.cpu} unit="%" top={FULL_CORE} />
        <Meter name="mem" values={agent.memory} unit="MB" />
        <span className="agent-heard faint">
          <span className="visually-hidden">heard </span>
          {ago(agent.lastSeenMs, now)}
          <span className="visually-hidden"> ago</span>
        </span>
      </span>
    </button>
  );
});

function AgentDoing({ agent }: { readonly agent: AgentNow }) {
  return (
    <span className="agent-doing">
      {agent.last ? (
        <>
          <KindMark kind={agent.last.kind} />
          <span className="untrusted line">{agent.last.text}</span>
        </>
      ) : (
        <span className="faint">Has done nothing yet</span>
      )}
      {agent.span ? (
        <span className="agent-span mono faint untrusted line" title="Span">
          {agent.span.name || agent.span.spanId.slice(0, SPAN_LIMIT)}
        </span>
      ) : null}
    </span>
  );
}

function AgentWhy({ agent }: { readonly agent: AgentNow }) {
  if (agent.error)
    return <span className="agent-why agent-failed untrusted">{agent.error.text}</span>;
  if (!agent.decision) return <span className="agent-why faint">No decision so far</span>;
  return <span className="agent-why soft untrusted">{agent.decision.text}</span>;
}

interface MeterProps {
  readonly name: string;
  readonly values: readonly number[];
  readonly unit: string;
  readonly top?: number;
}

function Meter({ name, values, unit, top = 0 }: MeterProps) {
  const newest = values.at(-1);
  const words = newest === undefined ? `${name} not known` : `${name} ${newest} ${unit}`;
  return (
    <span className="agent-meter">
      <span className="faint">{name}</span>
      <Sparkline values={values} label={words} width={44} height={14} top={top} />
      <span className="agent-value" aria-hidden="true">
        {newest === undefined ? "–" : `${newest} ${unit}`}
      </span>
    </span>
  );
}

function statusOf(agent: AgentNow, isSilent: boolean): { status: string; tone: Tone } {
  if (agent.error) return { status: "failed", tone: "bad" };
  if (agent.status === "STOPPED") return { status: "stopped", tone: "idle" };
  if (isSilent) return { status: "silent", tone: "warn" };
  // An agent says that it starts, and then what it does: only its next heartbeat calls it healthy.
  const isUnderWay = agent.status === "STARTING" && (agent.last ?? agent.decision) !== null;
  if (isUnderWay || agent.status === "" || agent.status === "HEALTHY") {
    return { status: "working", tone: "good" };
  }
  return { status: safeLine(agent.status, NAME_LIMIT), tone: "info" };
}
