import "./index.css";
import { useMemo, useState } from "react";
import { boardOf, isSilent } from "../../model/board.ts";
import type { AgentNow } from "../../types/live.ts";
import type { Milliseconds } from "../../types/units.ts";
import { AgentCard } from "../AgentCard/index.tsx";
import { Empty } from "../Notice/index.tsx";

interface AgentBoardProps {
  readonly agents: readonly AgentNow[];
  /** The time that the board is of. */
  readonly now: Milliseconds;
  readonly selected: string;
  readonly onSelect: (agentId: string) => void;
}

/** So many of those that stopped are shown without being asked for, when nobody is at work. */
const PAST_SHOWN = 12;

/** Who is working, on what, and is anything wrong. */
export function AgentBoard({ agents, now, selected, onSelect }: AgentBoardProps) {
  const [isPastShown, setIsPastShown] = useState(false);
  const { present, past } = useMemo(() => boardOf(agents, now), [agents, now]);
  const rest = isPastShown ? past : present.length === 0 ? past.slice(0, PAST_SHOWN) : [];
  const hidden = past.length - rest.length;
  if (agents.length === 0) return <NoAgents />;
  return (
    <div className="agent-board">
      <ul className="agent-cards">
        {[...present, ...rest].map((agent) => (
          <li key={agent.agentId}>
            <AgentCard
              agent={agent}
              now={now}
              isSilent={isSilent(agent, now)}
              isSelected={agent.agentId === selected}
              onSelect={onSelect}
            />
          </li>
        ))}
      </ul>
      {hidden > 0 || isPastShown ? (
        <button type="button" className="quiet soft" onClick={() => setIsPastShown(!isPastShown)}>
          {isPastShown ? "Hide those that stopped" : `Show ${hidden} that stopped`}
        </button>
      ) : null}
    </div>
  );
}

function NoAgents() {
  return (
    <Empty title="No agent has spoken yet">
      Start a job with <code>swarm run "fix all lint findings"</code>, or let your own agents
      publish: they appear here with their first event.
    </Empty>
  );
}
