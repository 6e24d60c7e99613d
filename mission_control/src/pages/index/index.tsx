import "./index.css";
import { useEffect, useMemo, useState } from "react";
import { AgentBoard } from "../../components/AgentBoard/index.tsx";
import { AgentLogStream } from "../../components/AgentLogStream/index.tsx";
import { EventPanel } from "../../components/EventPanel/index.tsx";
import { LogFilter } from "../../components/LogFilter/index.tsx";
import { Empty, Loading } from "../../components/Notice/index.tsx";
import { ReplayDock } from "../../components/ReplayDock/index.tsx";
import { RunChoice } from "../../components/RunChoice/index.tsx";
import { GraphOfMoment, GraphOfNow } from "../../components/SwarmGraph/index.tsx";
import { SwarmStrip } from "../../components/SwarmStrip/index.tsx";
import { WorkspaceTree } from "../../components/WorkspaceTree/index.tsx";
import { useEventStream } from "../../hooks/useEventStream.ts";
import { useFilter } from "../../hooks/useFilter.ts";
import { useShown } from "../../hooks/useShown.ts";
import { type TimeTravel, useTimeTravel } from "../../hooks/useTimeTravel.ts";
import { hrefWith, useUrlState } from "../../hooks/useUrlState.ts";
import { accepting, type EventFilter } from "../../model/filter.ts";
import { fileHref } from "../../model/node_text.ts";
import { navigate } from "../../router.tsx";
import type { LiveSnapshot } from "../../types/live.ts";
import type { SwarmEventView } from "../../types/swarm_event.ts";

/** The swarm now, or as it was: who works, on what, is anything wrong, what just happened. */
export default function IndexPage() {
  const { get, set } = useUrlState();
  const { filter, isFiltering, change, clear } = useFilter();
  const live = useEventStream();
  const [isReplaying, setReplaying] = useState(false);
  const runId = filter.run || newestRun(live.events);
  const travel = useTimeTravel(runId, isReplaying);
  const { agents, events, earlier, now, rate, row } = useShown(live, travel, filter);
  const names = useMemo(() => agents.map((agent) => agent.agentId).sort(), [agents]);
  const selected = get("event");
  const open = useMemo(
    () => (selected === "" ? undefined : live.events.findLast((event) => event.id === selected)),
    [live.events, selected],
  );
  useEffect(() => {
    document.title = "Swarm · Enchanted Swarm";
  }, []);

  const isArriving = travel.isPast && travel.run === undefined && !travel.error;
  const isDocked = isReplaying || travel.isPast;
  const dock = (
    <ReplayDock
      travel={travel}
      isOpen={isReplaying}
      onOpen={() => {
        change({ run: runId });
        setReplaying(true);
      }}
      onClose={() => setReplaying(false)}
    />
  );

  return (
    <div
      className="swarm-page"
      data-open={selected !== "" || undefined}
      data-past={travel.isPast || undefined}
    >
      <h1 className="visually-hidden">{travel.isPast ? "The swarm as it was" : "The swarm now"}</h1>
      <SwarmStrip agents={agents} now={now} rate={rate}>
        <RunChoice run={filter.run} onChange={(run) => set({ run, at: null })} />
        {isDocked ? null : dock}
      </SwarmStrip>
      {isDocked ? (
        <section className="swarm-replay panel" aria-label="Time">
          {dock}
        </section>
      ) : null}
      <section className="swarm-board" aria-label="Agents">
        {isArriving ? (
          <Loading what="the agents of the moment" />
        ) : (
          <AgentBoard
            agents={agents}
            now={now}
            selected={filter.agent}
            onSelect={(agent) => change({ agent: agent === filter.agent ? "" : agent })}
          />
        )}
      </section>
      <div className="swarm-main">
        <section className="swarm-graph panel" aria-label="Graph">
          <SwarmGraph
            live={live}
            filter={filter}
            travel={travel}
            row={row}
            earlier={earlier.events}
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
            empty={
              isArriving ? (
                <Loading what="the events of the moment" />
              ) : (
                <NoEvents isFiltering={isFiltering} />
              )
            }
            at={row}
          />
        </section>
        {travel.run && travel.moment.state ? (
          <section className="swarm-files panel" aria-label="Files">
            <WorkspaceTree
              run={travel.run}
              state={travel.moment.state}
              onOpen={({ workspaceId, name, at }) =>
                navigate(fileHref(runId, workspaceId, name, at))
              }
            />
          </section>
        ) : null}
      </div>
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

interface SwarmGraphProps {
  readonly live: LiveSnapshot;
  readonly filter: EventFilter;
  readonly travel: TimeTravel;
  readonly row: number | null;
  readonly earlier: readonly SwarmEventView[];
}

/** The graph of the moment shown; of the present, what the filter chooses. */
function SwarmGraph({ live, filter, travel, row, earlier }: SwarmGraphProps) {
  const accepts = useMemo(() => accepting(filter), [filter]);
  if (!travel.isPast) return <GraphOfNow live={live} accepts={accepts} earlier={earlier} />;
  if (!travel.run) return <Loading what="the graph" />;
  return <GraphOfMoment run={travel.run} row={row} />;
}

/** The run of the newest event that belongs to one. */
function newestRun(events: readonly SwarmEventView[]): string {
  return events.findLast((event) => event.runId !== "")?.runId ?? "";
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
