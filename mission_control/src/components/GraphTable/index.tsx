import "./index.css";
import { CATEGORY_NAMES } from "../../model/event_category.ts";
import type { Lane, NodeKey, SwarmGraph } from "../../model/graph.ts";
import { safeLine } from "../../model/safe_text.ts";
import { Link } from "../../router.tsx";
import type { DescribeNode } from "../../types/graph.ts";

/** Events that are listed, the newest first. */
const LISTED = 100;
const NAME_LENGTH = 60;

interface GraphTableProps {
  readonly graph: SwarmGraph;
  /** Ordinal after the last node that has happened at the moment shown. */
  readonly until: number;
  readonly describe: DescribeNode;
  readonly onSelect: (key: NodeKey) => void;
}

/** The graph in words: agents, the newest events, and what each followed from. */
export function GraphTable({ graph, until, describe, onSelect }: GraphTableProps) {
  const ordinals = newestOrdinals(graph, until);
  return (
    <section className="graph-table" aria-label="The graph as tables">
      <AgentsTable graph={graph} until={until} />
      <table>
        <caption>Newest events, and what they followed from</caption>
        <thead>
          <tr>
            <th scope="col">Agent</th>
            <th scope="col">Sort</th>
            <th scope="col">Event</th>
            <th scope="col">Followed from</th>
          </tr>
        </thead>
        <tbody>
          {ordinals.map((ordinal) => (
            <EventLine key={ordinal} {...{ graph, ordinal, describe, onSelect }} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function AgentsTable({ graph, until }: Pick<GraphTableProps, "graph" | "until">) {
  return (
    <table>
      <caption>Agents</caption>
      <thead>
        <tr>
          <th scope="col">Agent</th>
          <th scope="col">Role</th>
          <th scope="col">Events</th>
          <th scope="col">Errors</th>
        </tr>
      </thead>
      <tbody>
        {graph.lanes.map((lane) =>
          lane === undefined ? null : <AgentLine key={lane.index} {...{ graph, lane, until }} />,
        )}
      </tbody>
    </table>
  );
}

function AgentLine(props: {
  readonly graph: SwarmGraph;
  readonly lane: Lane;
  readonly until: number;
}) {
  const { graph, lane, until } = props;
  const own = lane.nodes.slice(lane.head).filter((ordinal) => ordinal < until);
  const errors = own.filter((ordinal) => graph.isErrorAt(ordinal)).length;
  return (
    <tr>
      <th scope="row" className="untrusted">
        {safeLine(lane.agentId, NAME_LENGTH)}
      </th>
      <td>{lane.role.toLowerCase()}</td>
      <td>{own.length}</td>
      <td data-error={errors > 0}>{errors}</td>
    </tr>
  );
}

function EventLine(props: {
  readonly graph: SwarmGraph;
  readonly ordinal: number;
  readonly describe: DescribeNode;
  readonly onSelect: (key: NodeKey) => void;
}) {
  const { graph, ordinal, describe, onSelect } = props;
  const key = graph.keyOf(ordinal);
  const text = describe(key);
  const lane = graph.lanes[graph.laneIndexOf(ordinal)];
  const isError = graph.isErrorAt(ordinal);
  return (
    <tr>
      <td className="untrusted">{safeLine(lane?.agentId ?? "", NAME_LENGTH)}</td>
      <td data-error={isError}>
        {CATEGORY_NAMES[graph.categoryOf(ordinal)]}
        {isError ? ", error" : ""}
      </td>
      <td className="untrusted">
        {text?.eventHref ? (
          <Link href={text.eventHref}>{text.text || text.title}</Link>
        ) : (
          text?.text
        )}
      </td>
      <td>
        {graph.causesOf(ordinal).map((cause) => (
          <button
            key={cause}
            type="button"
            className="quiet"
            onClick={() => onSelect(graph.keyOf(cause))}
          >
            {describe(graph.keyOf(cause))?.title ?? CATEGORY_NAMES[graph.categoryOf(cause)]}
          </button>
        ))}
      </td>
    </tr>
  );
}

function newestOrdinals(graph: SwarmGraph, until: number): readonly number[] {
  const count = Math.max(Math.min(until - graph.first, LISTED), 0);
  return Array.from({ length: count }, (_, index) => until - 1 - index);
}
