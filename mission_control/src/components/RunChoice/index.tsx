import "./index.css";
import { useQuery } from "@tanstack/react-query";
import { safeLine } from "../../model/safe_text.ts";
import { queryKey, type Run, traceApi } from "../../services/trace_api.ts";

interface RunChoiceProps {
  readonly run: string;
  readonly onChange: (run: string) => void;
}

const LISTED = 50;
const ASK_AGAIN_MS = 10_000;
const TASK_LIMIT = 60;
const ID_LENGTH = 8;

/** Which run is looked at; none: the whole swarm. */
export function RunChoice({ run, onChange }: RunChoiceProps) {
  const { data } = useQuery({
    queryKey: queryKey("runs", LISTED),
    queryFn: ({ signal }) => traceApi.runs({ limit: LISTED }, signal),
    refetchInterval: ASK_AGAIN_MS,
  });
  const runs = data?.items ?? [];
  return (
    <select
      className="run-choice"
      aria-label="Run"
      value={run}
      onChange={(event) => onChange(event.target.value)}
    >
      <option value="">All runs</option>
      {run !== "" && !runs.some((one) => one.run_id === run) ? (
        <option value={run}>{safeLine(run, TASK_LIMIT)}</option>
      ) : null}
      {runs.map((one) => (
        <option key={one.run_id} value={one.run_id}>
          {nameOfRun(one)}
        </option>
      ))}
    </select>
  );
}

function nameOfRun({ run_id, task, state }: Run): string {
  const name = safeLine(task, TASK_LIMIT) || "run";
  const short = safeLine(run_id, ID_LENGTH + 1);
  return `${name} · ${short}${state ? ` · ${state.toLowerCase()}` : ""}`;
}
