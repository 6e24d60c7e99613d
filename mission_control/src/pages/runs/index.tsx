import "./index.css";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Empty, ErrorNotice, Loading } from "../../components/Notice/index.tsx";
import { PageFrame } from "../../components/PageFrame/index.tsx";
import { StatusPill } from "../../components/StatusPill/index.tsx";
import { useNow } from "../../hooks/useNow.ts";
import { useUrlState } from "../../hooks/useUrlState.ts";
import { countText, durationText, moneyText } from "../../model/amounts.ts";
import { safeLine } from "../../model/safe_text.ts";
import { ago } from "../../model/time_text.ts";
import { Link } from "../../router.tsx";
import { queryKey, type Run, traceApi } from "../../services/trace_api.ts";
import { milliseconds } from "../../types/units.ts";

const STATES = ["PLANNING", "RUNNING", "PAUSED", "SUCCEEDED", "FAILED", "CANCELLED"];
const PAGE_SIZE = 50;
const ASK_AGAIN_MS = 5_000;
const TASK_LENGTH = 140;

/** All runs, the newest first. */
export default function RunsPage() {
  const url = useUrlState();
  const state = url.get("state");
  const asked = useInfiniteQuery({
    queryKey: queryKey("runs", state),
    queryFn: ({ pageParam, signal }) =>
      traceApi.runs({ cursor: pageParam, limit: PAGE_SIZE, state }, signal),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor,
    refetchInterval: ASK_AGAIN_MS,
  });
  const runs = asked.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <PageFrame title="Runs" beside={<StateChoice state={state} onChoose={url.set} />}>
      {asked.isPending ? <Loading what="the runs" /> : null}
      {asked.isError ? (
        <ErrorNotice error={asked.error} retry={() => void asked.refetch()} />
      ) : null}
      {asked.isSuccess && runs.length === 0 ? <NoRuns state={state} /> : null}
      {runs.length > 0 ? (
        <div className="panel runs-panel">
          <RunTable runs={runs} />
        </div>
      ) : null}
      {asked.hasNextPage ? (
        <button
          type="button"
          className="runs-more"
          disabled={asked.isFetchingNextPage}
          onClick={() => void asked.fetchNextPage()}
        >
          Older runs
        </button>
      ) : null}
    </PageFrame>
  );
}

interface StateChoiceProps {
  readonly state: string;
  readonly onChoose: (change: Readonly<Record<string, string>>) => void;
}

function StateChoice({ state, onChoose }: StateChoiceProps) {
  return (
    <label className="runs-choice">
      <span className="visually-hidden">State</span>
      <select value={state} onChange={(event) => onChoose({ state: event.target.value })}>
        <option value="">All states</option>
        {STATES.map((one) => (
          <option key={one} value={one}>
            {one.toLowerCase()}
          </option>
        ))}
      </select>
    </label>
  );
}

function NoRuns({ state }: { readonly state: string }) {
  if (state) return <Empty title={`No run is ${state.toLowerCase()}`} />;
  return (
    <Empty title="There are no runs yet">
      <p>Start one in any git repository:</p>
      <p>
        <code>swarm run "fix the lint findings" --repo .</code>
      </p>
    </Empty>
  );
}

function RunTable({ runs }: { readonly runs: readonly Run[] }) {
  const now = useNow();
  return (
    <table className="runs-table">
      <caption className="visually-hidden">Runs, the newest first</caption>
      <thead>
        <tr>
          <th scope="col">Run</th>
          <th scope="col">State</th>
          <th scope="col">Model</th>
          <th scope="col" className="number">
            Agents
          </th>
          <th scope="col" className="number">
            Decisions
          </th>
          <th scope="col" className="number">
            Changes
          </th>
          <th scope="col" className="number">
            Failures
          </th>
          <th scope="col" className="number">
            Cost
          </th>
          <th scope="col" className="number">
            Took
          </th>
          <th scope="col" className="number">
            Last event
          </th>
        </tr>
      </thead>
      <tbody>
        {runs.map((run) => (
          <RunRow key={run.run_id} run={run} now={now} />
        ))}
      </tbody>
    </table>
  );
}

function RunRow({ run, now }: { readonly run: Run; readonly now: number }) {
  const took = Date.parse(run.ended_at ?? run.last_event_at) - Date.parse(run.started_at);
  return (
    <tr>
      <th scope="row">
        <Link href={`/runs/${encodeURIComponent(run.run_id)}`} className="runs-name">
          <strong className="untrusted line">{safeLine(run.run_id, TASK_LENGTH)}</strong>
          <span className="untrusted line soft" dir="auto">
            {safeLine(run.task, TASK_LENGTH) || (run.harness ? `${run.harness} session` : "")}
          </span>
        </Link>
      </th>
      <td>{run.state ? <StatusPill status={run.state} /> : <span className="faint">–</span>}</td>
      <td className="untrusted">{safeLine(run.model, TASK_LENGTH)}</td>
      <td className="number">{countText(run.agents)}</td>
      <td className="number">{countText(run.decisions)}</td>
      <td className="number">{countText(run.changes)}</td>
      <td className="number" data-bad={run.errors > 0}>
        {countText(run.errors)}
      </td>
      <td className="number">{moneyText(run.cost_microusd)}</td>
      <td className="number">{durationText(took)}</td>
      <td className="number">
        <time dateTime={run.last_event_at}>
          {ago(milliseconds(Date.parse(run.last_event_at)), milliseconds(now))}
        </time>
      </td>
    </tr>
  );
}
