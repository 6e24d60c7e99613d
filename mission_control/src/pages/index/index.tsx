import "./index.css";
import { useEffect, useMemo } from "react";
import { AgentBoard } from "../../components/AgentBoard/index.tsx";
import { AgentLogStream } from "../../components/AgentLogStream/index.tsx";
import { EventPanel } from "../../components/EventPanel/index.tsx";
import { LogFilter } from "../../components/LogFilter/index.tsx";
import { Empty } from "../../components/Notice/index.tsx";
import { RunChoice } from "../../components/RunChoice/index.tsx";
import { SwarmStrip } from "../../components/SwarmStrip/index.tsx";
import { useEarlierEvents } from "../../hooks/useEarlierEvents.ts";
import { useEventStream } from "../../hooks/useEventStream.ts";
import { useFilter } from "../../hooks/useFilter.ts";
import { useNow } from "../../hooks/useNow.ts";
import { hrefWith, useUrlState } from "../../hooks/useUrlState.ts";
import { accepting } from "../../model/filter.ts";
import { FilteredEvents } from "../../model/filtered.ts";
import type { AgentNow } from "../../types/live.ts";

/** The swarm now: who works, on what, is anything wrong, what just happened. */
export default function IndexPage() {
  const { get, set } = useUrlState();
  const { filter, isFiltering, change, clear } = useFilter();
  const live = useEventStream();
  const now = useNow();
  const filtered = useMemo(() => new FilteredEvents(accepting(filter)), [filter]);
  const events = useMemo(() => filtered.of(live), [filtered, live]);
  const earlier = useEarlierEvents(filter, live, events.length);
  const agents = useMemo(() => agentsOf(live.agents, filter.run), [live.agents, filter.run]);
  const names = useMemo(() => agents.map((agent) => agent.agentId).sort(), [agents]);
  const selected = get("event");
  const open = useMemo(
    () => (selected === "" ? undefined : live.events.findLast((event) => event.id === selected)),
    [live.events, selected],
  );
  useEffect(() => {
    document.title = "Swarm · Enchanted Swarm";
  }, []);

  return (
    <div className="swarm-page" data-open={selected !== "" || undefined}>
      <h1 className="visually-hidden">The swarm now</h1>
      <SwarmStrip agents={agents} now={now} rate={live.rate}>
        <RunChoice run={filter.run} onChange={(run) => change({ run })} />
      </SwarmStrip>
      <section className="swarm-board" aria-label="Agents">
        <AgentBoard
          agents={agents}
          now={now}
          selected={filter.agent}
          onSelect={(agent) => change({ agent: agent === filter.agent ? "" : agent })}
        />
      </section>
      <section className="swarm-log panel" aria-label="Log">
        <header className="swarm-log-head">
          <LogFilter
            filter={filter}
            agents={names}
            onChange={change}
            onClear={clear}
            isFiltering={isFiltering}
          />
        </header>
        <AgentLogStream
          events={events}
          earlier={earlier}
          selected={selected}
          onOpen={(event) => set({ event: event.id === selected ? null : event.id }, "push")}
          empty={<NoEvents isFiltering={isFiltering} />}
        />
      </section>
      {selected === "" ? null : (
        <div className="swarm-event panel">
          <EventPanel
            id={selected}
            live={open}
            hrefOf={(id) => hrefWith("/", window.location.search, { event: id })}
            onClose={() => set({ event: null }, "push")}
          />
        </div>
      )}
    </div>
  );
}

function NoEvents({ isFiltering }: { readonly isFiltering: boolean }) {
  if (isFiltering) {
    return <Empty title="No event is like that">Choose less, or wait: the log goes on.</Empty>;
  }
  return (
    <Empty title="Nothing has happened yet">
      Every event that an agent publishes appears here at once.
    </Empty>
  );
}

function agentsOf(agents: ReadonlyMap<string, AgentNow>, run: string): readonly AgentNow[] {
  const all = [...agents.values()];
  return run === "" ? all : all.filter((agent) => agent.runId === run);
}
