import "./index.css";
import { useQuery } from "@tanstack/react-query";
import type { PageProps } from "../../app.tsx";
import { EventPanel } from "../../components/EventPanel/index.tsx";
import { Facts } from "../../components/Facts/index.tsx";
import { LongText } from "../../components/LongText/index.tsx";
import { Empty, ErrorNotice, Loading } from "../../components/Notice/index.tsx";
import { PageFrame } from "../../components/PageFrame/index.tsx";
import { PlanGraph } from "../../components/PlanGraph/index.tsx";
import { RunFiles } from "../../components/RunFiles/index.tsx";
import { StatusPill } from "../../components/StatusPill/index.tsx";
import { TaskBoard } from "../../components/TaskBoard/index.tsx";
import { TaskPanel } from "../../components/TaskPanel/index.tsx";
import { hrefWith, useUrlState } from "../../hooks/useUrlState.ts";
import { countText, durationText, moneyText } from "../../model/amounts.ts";
import { outcomeOf } from "../../model/outcome.ts";
import { safeLine } from "../../model/safe_text.ts";
import { Link, useLocation } from "../../router.tsx";
import { queryKey, type RunDetail, traceApi } from "../../services/trace_api.ts";

const TABS = ["tasks", "plan", "files", "cost"] as const;
type Tab = (typeof TABS)[number];
const TITLES: Readonly<Record<Tab, string>> = {
  tasks: "Tasks",
  plan: "Plan",
  files: "Files",
  cost: "Cost",
};
const ENDED = ["SUCCEEDED", "FAILED", "CANCELLED"];
const ASK_AGAIN_MS = 2_000;
const LINE_LIMIT = 200;

/** One run: its tasks, plan, files and costs, and what came of it. */
export default function RunPage({ params }: PageProps) {
  const runId = params["runId"] ?? "";
  const asked = useQuery({
    queryKey: queryKey("run", runId),
    queryFn: ({ signal }) => traceApi.run(runId, signal),
    refetchInterval: (query) =>
      ENDED.includes(query.state.data?.state ?? "") ? false : ASK_AGAIN_MS,
  });
  return (
    <PageFrame
      title={safeLine(runId, LINE_LIMIT)}
      beside={
        asked.data ? (
          <>
            {asked.data.state ? <StatusPill status={asked.data.state} /> : null}
            <Link className="button" href={`/?run=${encodeURIComponent(runId)}`}>
              Live and replay
            </Link>
          </>
        ) : null
      }
    >
      {asked.isPending ? <Loading what="the run" /> : null}
      {asked.isError ? (
        <ErrorNotice error={asked.error} retry={() => void asked.refetch()} />
      ) : null}
      {asked.data ? <RunView run={asked.data} /> : null}
    </PageFrame>
  );
}

function RunView({ run }: { readonly run: RunDetail }) {
  const url = useUrlState();
  const { pathname, search } = useLocation();
  const wanted = url.get("tab");
  const tab = TABS.find((one) => one === wanted) ?? (run.tasks.length > 0 ? "tasks" : "files");
  const hrefOf = (change: Readonly<Record<string, string | null>>) =>
    hrefWith(pathname, search, change);
  const task = run.tasks.find((one) => one.task_id === url.get("task"));
  const eventId = url.get("event");
  return (
    <>
      <Summary run={run} />
      <nav className="run-tabs" aria-label="Parts of the run">
        {TABS.map((one) => (
          <Link
            key={one}
            href={hrefOf({ tab: one, event: null, task: null })}
            aria-current={one === tab ? "page" : undefined}
          >
            {TITLES[one]}
          </Link>
        ))}
      </nav>
      <div className="run-body">
        <div className="run-part">
          {tab === "tasks" ? (
            <TaskBoard
              tasks={run.tasks}
              selected={task?.task_id ?? ""}
              hrefOf={(id) => hrefOf({ task: id, event: null })}
            />
          ) : null}
          {tab === "plan" ? (
            <div className="panel">
              <PlanGraph
                tasks={run.tasks}
                selected={task?.task_id ?? ""}
                hrefOf={(id) => hrefOf({ task: id, event: null })}
              />
            </div>
          ) : null}
          {tab === "files" ? <RunFiles run={run} hrefOf={(id) => hrefOf({ event: id })} /> : null}
          {tab === "cost" ? <Costs run={run} /> : null}
        </div>
        {eventId ? (
          <div className="panel run-beside">
            <EventPanel
              id={eventId}
              live={undefined}
              hrefOf={(id) => hrefOf({ event: id })}
              onClose={() => url.set({ event: null })}
            />
          </div>
        ) : task ? (
          <div className="panel run-beside">
            <TaskPanel
              task={task}
              hrefOf={(id) => hrefOf({ event: id })}
              onClose={() => url.set({ task: null })}
            />
          </div>
        ) : null}
      </div>
    </>
  );
}

function Summary({ run }: { readonly run: RunDetail }) {
  const took = Date.parse(run.ended_at ?? run.last_event_at) - Date.parse(run.started_at);
  const parent = run.parent_run_id;
  const outcome = outcomeOf(run.tasks);
  return (
    <section className="panel run-summary" aria-label="Summary">
      {run.task ? <LongText text={run.task} /> : null}
      <Facts
        facts={[
          ["Began", run.started_at.slice(0, 19).replace("T", " ")],
          ["Took", durationText(took)],
          ["Agents", countText(run.agents)],
          ["Events", countText(run.events)],
          ["Decisions", countText(run.decisions)],
          ["Changes", countText(run.changes)],
          [
            "Failures",
            run.errors ? (
              <b key="e" className="run-bad">
                {countText(run.errors)}
              </b>
            ) : (
              "0"
            ),
          ],
          ["Cost", moneyText(run.cost_microusd)],
          ["Model", safeLine(run.model, LINE_LIMIT)],
          ["Harness", run.harness ? safeLine(run.harness, LINE_LIMIT) : null],
          ["Branch", run.branch ? <code key="b">{safeLine(run.branch, LINE_LIMIT)}</code> : null],
          [
            "Forked from",
            parent ? (
              <Link key="p" href={`/runs/${encodeURIComponent(parent)}`}>
                {safeLine(parent, LINE_LIMIT)}
              </Link>
            ) : null,
          ],
        ]}
      />
      {outcome.length > 0 ? (
        <details className="run-outcome" open>
          <summary>What came of it</summary>
          <ul>
            {outcome.map((line, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: the outcome never changes
              <li key={index} data-kind={line.kind} className="untrusted" dir="auto">
                <StatusPill status={line.kind} tone={line.kind === "accepted" ? "good" : "warn"} />{" "}
                <b>{safeLine(line.title, LINE_LIMIT)}</b>{" "}
                <span className="soft">{safeLine(line.text, LINE_LIMIT)}</span>{" "}
                {line.commit ? <code className="faint">{line.commit.slice(0, 12)}</code> : null}
              </li>
            ))}
          </ul>
        </details>
      ) : null}
    </section>
  );
}

function Costs({ run }: { readonly run: RunDetail }) {
  if (run.models.length === 0) return <Empty title="No model was asked in this run" />;
  return (
    <div className="panel run-costs">
      <table>
        <caption className="visually-hidden">
          What each model was used for, and what it cost
        </caption>
        <thead>
          <tr>
            <th scope="col">Model</th>
            <th scope="col">Calls</th>
            <th scope="col">Tokens in</th>
            <th scope="col">Tokens out</th>
            <th scope="col">Cost</th>
          </tr>
        </thead>
        <tbody>
          {run.models.map((use) => (
            <tr key={use.model}>
              <th scope="row" className="untrusted">
                {safeLine(use.model, LINE_LIMIT)}
              </th>
              <td>{countText(use.calls)}</td>
              <td>{countText(use.input_tokens)}</td>
              <td>{countText(use.output_tokens)}</td>
              <td>{moneyText(use.cost_microusd)}</td>
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">Together</th>
            <td>{countText(run.models.reduce((sum, use) => sum + use.calls, 0))}</td>
            <td>{countText(run.input_tokens)}</td>
            <td>{countText(run.output_tokens)}</td>
            <td>{moneyText(run.cost_microusd)}</td>
          </tr>
        </tfoot>
      </table>
    </div>
  );
}
