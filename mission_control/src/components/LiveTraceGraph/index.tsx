import "./index.css";
import { type ReactNode, useId, useState } from "react";
import { useGraphStage } from "../../hooks/useGraphStage.ts";
import { CATEGORY_NAMES } from "../../model/event_category.ts";
import type { NodeKey, SwarmGraph } from "../../model/graph.ts";
import { Link, navigate } from "../../router.tsx";
import type { Hovered } from "../../services/graph_stage.ts";
import type { DescribeNode } from "../../types/graph.ts";
import { GraphLegend } from "../GraphLegend/index.tsx";
import { GraphTable } from "../GraphTable/index.tsx";

interface LiveTraceGraphProps {
  readonly graph: SwarmGraph;
  /** Grows whenever the graph has; the graph itself stays the same object. */
  readonly version: number;
  /** Ordinal after the last node that has happened at the moment shown; null: now. */
  readonly until: number | null;
  readonly selected: NodeKey | null;
  readonly onSelect: (key: NodeKey | null) => void;
  readonly describe: DescribeNode;
  /** Shown instead while there is nothing to draw. */
  readonly empty: ReactNode;
}

/** Agents, events and causes as a picture that grows, and the same as tables. */
export function LiveTraceGraph(props: LiveTraceGraphProps) {
  const { graph, until, describe, onSelect, empty } = props;
  const [isTable, setTable] = useState(false);
  const end = until ?? graph.end;
  const isEmpty = end <= graph.first;
  return (
    <section className="trace-graph" aria-label="Graph of agents, events and causes">
      {isTable ? (
        <>
          <div className="trace-graph-tools">
            <ViewChoice isTable onChoose={setTable} />
          </div>
          <GraphTable graph={graph} until={end} describe={describe} onSelect={onSelect} />
        </>
      ) : (
        <Picture {...props} isEmpty={isEmpty} onTable={() => setTable(true)} />
      )}
      {isEmpty ? <div className="trace-graph-empty">{empty}</div> : null}
    </section>
  );
}

interface PictureProps extends LiveTraceGraphProps {
  readonly isEmpty: boolean;
  readonly onTable: () => void;
}

function Picture(props: PictureProps) {
  const { graph, version, until, selected, onSelect, describe, onTable } = props;
  const opened = (key: NodeKey) => {
    const href = describe(key)?.eventHref;
    if (href) navigate(href);
  };
  const handle = useGraphStage({ graph, until, selected }, version, { selected: onSelect, opened });
  const { stage } = handle;
  const help = useId();
  return (
    <>
      <div className="trace-graph-tools">
        <GraphLegend />
        <span className="trace-graph-room" />
        <Dropped graph={graph} />
        <fieldset className="trace-graph-zoom">
          <legend className="visually-hidden">View</legend>
          <ToolButton label="Zoom out" onClick={() => stage.current?.zoomOut()} text="−" />
          <ToolButton label="Zoom in" onClick={() => stage.current?.zoomIn()} text="+" />
          <ToolButton label="Show all" onClick={() => stage.current?.fit()} text="All" />
          <button
            type="button"
            aria-pressed={handle.isFollowing}
            onClick={() => stage.current?.follow()}
          >
            {until === null ? "Follow now" : "Follow moment"}
          </button>
        </fieldset>
        <ViewChoice isTable={false} onChoose={onTable} />
      </div>
      <div
        ref={handle.surface}
        className="trace-graph-surface"
        role="application"
        aria-label="Graph of the swarm, a lane for each agent"
        aria-describedby={help}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: an application takes keys
        tabIndex={0}
      >
        <canvas ref={handle.canvas} />
        <Tooltip hovered={handle.hovered} graph={graph} describe={describe} />
      </div>
      <p id={help} className="visually-hidden">
        Arrow keys go from event to event, c to a cause, e to an effect, Enter opens, plus and minus
        zoom, 0 shows all, f follows. The same is there as tables.
      </p>
      <Chosen graph={graph} selected={selected} describe={describe} onSelect={onSelect} />
    </>
  );
}

function ToolButton(props: {
  readonly label: string;
  readonly text: string;
  readonly onClick: () => void;
}) {
  return (
    <button type="button" aria-label={props.label} title={props.label} onClick={props.onClick}>
      {props.text}
    </button>
  );
}

function ViewChoice(props: {
  readonly isTable: boolean;
  readonly onChoose: (isTable: boolean) => void;
}) {
  return (
    <button
      type="button"
      aria-pressed={props.isTable}
      onClick={() => props.onChoose(!props.isTable)}
    >
      Tables
    </button>
  );
}

/** Says that older events are no longer in the picture. */
function Dropped({ graph }: { readonly graph: SwarmGraph }) {
  if (graph.first === 0) return null;
  return (
    <span className="trace-graph-dropped">{graph.first.toLocaleString("en")} older not drawn</span>
  );
}

interface NodeProps {
  readonly graph: SwarmGraph;
  readonly describe: DescribeNode;
}

function Tooltip({ hovered, graph, describe }: NodeProps & { readonly hovered: Hovered | null }) {
  if (hovered === null || !graph.has(hovered.ordinal)) return null;
  const text = describe(graph.keyOf(hovered.ordinal));
  const place = { left: hovered.x, top: hovered.y };
  return (
    <div className="trace-graph-tip" style={place} data-left={hovered.x > 420} aria-hidden="true">
      <strong className="untrusted">{text?.title ?? sortOf(graph, hovered.ordinal)}</strong>
      {text?.text ? <span className="untrusted">{text.text}</span> : null}
    </div>
  );
}

/** The selected event: what it says, and the ways on from it. */
function Chosen(
  props: NodeProps & {
    readonly selected: NodeKey | null;
    readonly onSelect: (key: NodeKey | null) => void;
  },
) {
  const { graph, selected, describe, onSelect } = props;
  const ordinal = selected === null ? undefined : graph.ordinalOf(selected);
  const text = selected === null ? null : describe(selected);
  return (
    <div className="trace-graph-chosen" aria-live="polite">
      {ordinal === undefined ? (
        <span className="faint">Choose an event to see what led to it</span>
      ) : (
        <>
          <span className="trace-graph-words">
            <strong className="untrusted">{text?.title ?? sortOf(graph, ordinal)}</strong>
            {graph.isErrorAt(ordinal) ? <em>error</em> : null}
            <span className="untrusted line">{text?.text ?? ""}</span>
          </span>
          <span className="faint">
            {countOf(graph.causesOf(ordinal).length, "cause")},{" "}
            {countOf(graph.effectsOf(ordinal).length, "effect")}
          </span>
          <span className="trace-graph-links">
            {text?.eventHref ? <Link href={text.eventHref}>Event</Link> : null}
            {text?.diffHref ? <Link href={text.diffHref}>Diff</Link> : null}
            {text?.traceHref ? <Link href={text.traceHref}>Trace</Link> : null}
            <button type="button" className="quiet" onClick={() => onSelect(null)}>
              Deselect
            </button>
          </span>
        </>
      )}
    </div>
  );
}

function sortOf(graph: SwarmGraph, ordinal: number): string {
  return CATEGORY_NAMES[graph.categoryOf(ordinal)];
}

function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
