import "./index.css";
import type { ReactNode } from "react";
import { isAtWork } from "../../model/agents.ts";
import { isSilent } from "../../model/board.ts";
import type { AgentNow } from "../../types/live.ts";
import type { Milliseconds } from "../../types/units.ts";
import { RateChart } from "../RateChart/index.tsx";

interface SwarmStripProps {
  readonly agents: readonly AgentNow[];
  readonly now: Milliseconds;
  /** Events per second of the last minute; null where time stands still. */
  readonly rate: readonly number[] | null;
  readonly children?: ReactNode;
}

/** The whole swarm in one line: how many work, is anything wrong, how much happens. */
export function SwarmStrip({ agents, now, rate, children }: SwarmStripProps) {
  const failed = agents.filter((agent) => agent.error !== null).length;
  const silent = agents.filter((agent) => agent.error === null && isSilent(agent, now)).length;
  const atWork = agents.filter((agent) => isAtWork(agent)).length - silent - failed;
  return (
    <div className="swarm-strip">
      {children}
      <dl className="swarm-counts">
        <Count name="working" count={Math.max(0, atWork)} tone="good" />
        <Count name="failed" count={failed} tone={failed > 0 ? "bad" : "none"} />
        <Count name="silent" count={silent} tone={silent > 0 ? "warn" : "none"} />
        <Count name="decisions" count={sum(agents, "decisions")} tone="none" />
        <Count name="changes" count={sum(agents, "changes")} tone="none" />
      </dl>
      {rate ? <RateChart rate={rate} /> : null}
    </div>
  );
}

interface CountProps {
  readonly name: string;
  readonly count: number;
  readonly tone: "good" | "bad" | "warn" | "none";
}

function Count({ name, count, tone }: CountProps) {
  return (
    <div data-tone={tone}>
      <dd>{count.toLocaleString("en")}</dd>
      <dt>{name}</dt>
    </div>
  );
}

function sum(agents: readonly AgentNow[], name: "decisions" | "changes"): number {
  return agents.reduce((total, agent) => total + agent[name], 0);
}
