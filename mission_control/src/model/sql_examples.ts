/** Queries to start from; each runs as it stands on any history. */

export interface SqlExample {
  readonly title: string;
  readonly query: string;
}

export const SQL_EXAMPLES: readonly SqlExample[] = [
  {
    title: "Events per minute",
    query: `select toStartOfMinute(event_time) as minute,
    count() as events,
    countIf(kind = 'decision') as decisions,
    countIf(kind = 'state_change') as changes
from swarm.events
group by minute
order by minute desc
limit 120`,
  },
  {
    title: "What was decided, and what was refused",
    query: `select event_time, agent_id, rationale, rejected_alternatives
from swarm.decisions
order by event_time desc
limit 50`,
  },
  {
    title: "Files that changed most",
    query: `select target_resource, count() as changes, uniqExact(agent_id) as agents
from swarm.state_changes
group by target_resource
order by changes desc
limit 20`,
  },
  {
    title: "Failures by agent",
    query: `select agent_id, count() as failures
from swarm.signals
where status = 'CRITICAL_FAILURE'
group by agent_id
order by failures desc
limit 20`,
  },
  {
    title: "Tools: calls and time",
    query: `select tool_name,
    count() as calls,
    round(avg(tool_duration_us) / 1000, 1) as mean_ms,
    countIf(tool_outcome != 'ok') as not_ok
from swarm.tool_calls
group by tool_name
order by calls desc
limit 20`,
  },
  {
    title: "Cost by model",
    query: `select model_name,
    sum(cost_microusd) / 1000000 as dollars,
    sum(input_tokens) as input,
    sum(output_tokens) as output
from swarm.model_calls
group by model_name
order by dollars desc
limit 20`,
  },
  {
    title: "Slowest spans",
    query: `select SpanName, count() as spans, round(max(Duration) / 1e6, 1) as slowest_ms
from swarm.spans
group by SpanName
order by slowest_ms desc
limit 20`,
  },
];
