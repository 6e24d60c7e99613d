import "./index.css";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useMemo, useState } from "react";
import type { PageProps } from "../../app.tsx";
import { EventPanel } from "../../components/EventPanel/index.tsx";
import { Facts } from "../../components/Facts/index.tsx";
import { KindMark } from "../../components/KindMark/index.tsx";
import { Empty, ErrorNotice, Loading } from "../../components/Notice/index.tsx";
import { PageFrame } from "../../components/PageFrame/index.tsx";
import { SpanPanel } from "../../components/SpanPanel/index.tsx";
import { Waterfall } from "../../components/Waterfall/index.tsx";
import { hrefWith, type UrlState, useUrlState } from "../../hooks/useUrlState.ts";
import { countText, durationText } from "../../model/amounts.ts";
import { viewOfRow } from "../../model/event_view.ts";
import { safeLine } from "../../model/safe_text.ts";
import { clock } from "../../model/time_text.ts";
import { waterfallOf } from "../../model/waterfall.ts";
import { Link, navigate, useLocation } from "../../router.tsx";
import { queryKey, type Trace, traceApi } from "../../services/trace_api.ts";
import type { SwarmEventView } from "../../types/swarm_event.ts";

const TRACE_ID = /^[0-9a-f]{32}$/;
/** Spans arrive when they end: a trace that goes on is asked for again. */
const ASK_AGAIN_MS = 3_000;
const FRESH_MS = 60_000;
const LINE_LIMIT = 160;

/** One trace: its spans over time, and the events in them. */
export default function DebugPage({ params }: PageProps) {
  const traceId = (params["traceId"] ?? "").toLowerCase();
  if (!TRACE_ID.test(traceId)) return <TraceQuestion given={traceId} />;
  return <TracePage traceId={traceId} />;
}

function TraceQuestion({ given }: { readonly given: string }) {
  const [text, setText] = useState(given);
  const wanted = text.trim().toLowerCase();
  const isWrong = wanted !== "" && !TRACE_ID.test(wanted);
  const open = (event: FormEvent) => {
    event.preventDefault();
    if (TRACE_ID.test(wanted)) navigate(`/debug/${wanted}`);
  };
  return (
    <PageFrame title="Trace">
      <form className="debug-question" onSubmit={open}>
        <label htmlFor="trace-id">Which trace? Its id has 32 hex digits.</label>
        <div className="debug-question-field">
          <input
            id="trace-id"
            className="mono"
            value={text}
            maxLength={64}
            aria-invalid={isWrong}
            aria-describedby="trace-id-fault"
            onChange={(event) => setText(event.target.value)}
          />
          <button type="submit">Open</button>
        </div>
        <p id="trace-id-fault" className="debug-question-fault" role="status">
          {isWrong ? "That is not a trace id." : ""}
        </p>
        <p className="soft">Events of the log lead to their traces, too: open one, then “Trace”.</p>
      </form>
    </PageFrame>
  );
}

function TracePage({ traceId }: { readonly traceId: string }) {
  const asked = useQuery({
    queryKey: queryKey("trace", traceId),
    queryFn: ({ signal }) => traceApi.trace(traceId, signal),
    refetchInterval: (query) => (goesOn(query.state.data) ? ASK_AGAIN_MS : false),
  });
  return (
    <PageFrame title="Trace" beside={<code className="faint">{traceId}</code>}>
      {asked.isPending ? <Loading what="the trace" /> : null}
      {asked.isError ? (
        <ErrorNotice error={asked.error} retry={() => void asked.refetch()} />
      ) : null}
      {asked.data ? <TraceView trace={asked.data} /> : null}
    </PageFrame>
  );
}

function TraceView({ trace }: { readonly trace: Trace }) {
  const url = useUrlState();
  const events = useMemo(() => trace.events.map(viewOfRow), [trace]);
  const waterfall = useMemo(() => waterfallOf(trace.spans, events), [trace, events]);
  const [eventId, spanId] = [url.get("event"), url.get("span")];
  const runId = events.find((event) => event.runId)?.runId ?? "";
  return (
    <>
      <div className="debug-facts">
        <Facts
          facts={[
            ["Began", clock(waterfall.beginMs)],
            ["Took", durationText(waterfall.durationMs)],
            ["Spans", countText(trace.spans.length)],
            ["Events", countText(trace.events.length)],
            ["Failed", countText(waterfall.rows.filter((row) => row.isError).length)],
          ]}
        />
        <nav className="debug-links" aria-label="From this trace">
          {runId ? (
            <Link className="button" href={`/runs/${encodeURIComponent(runId)}`}>
              Run
            </Link>
          ) : null}
          {trace.jaeger_url ? (
            <a className="button" href={trace.jaeger_url} rel="noreferrer" target="_blank">
              Jaeger
            </a>
          ) : null}
        </nav>
      </div>
      {trace.truncated ? (
        <p className="debug-truncated">There is more in this trace than is shown here.</p>
      ) : null}
      <div className="debug-body">
        <div className="panel debug-waterfall">
          <Waterfall
            waterfall={waterfall}
            selectedSpan={spanId}
            selectedEvent={eventId}
            onSpan={(id) => url.set({ span: id, event: null })}
            onEvent={(id) => url.set({ event: id, span: null }, "push")}
          />
        </div>
        <div className="panel debug-events">
          <EventList events={events} selected={eventId} />
        </div>
        <Chosen trace={trace} events={events} url={url} />
      </div>
    </>
  );
}

interface ChosenProps {
  readonly trace: Trace;
  readonly events: readonly SwarmEventView[];
  readonly url: UrlState;
}

/** The event or the span that was chosen. */
function Chosen({ trace, events, url }: ChosenProps) {
  const hrefOf = useEventHref();
  const [eventId, spanId] = [url.get("event"), url.get("span")];
  const span = trace.spans.find((one) => one.span_id === spanId);
  if (eventId) {
    return (
      <div className="panel debug-chosen">
        <EventPanel
          id={eventId}
          live={events.find((event) => event.id === eventId)}
          hrefOf={hrefOf}
          onClose={() => url.set({ event: null })}
        />
      </div>
    );
  }
  return span ? (
    <div className="panel debug-chosen">
      <SpanPanel span={span} onClose={() => url.set({ span: null })} />
    </div>
  ) : null;
}

interface EventListProps {
  readonly events: readonly SwarmEventView[];
  readonly selected: string;
}

function EventList({ events, selected }: EventListProps) {
  const hrefOf = useEventHref();
  if (events.length === 0) return <Empty title="No events in this trace" />;
  return (
    <section aria-label="Events of this trace">
      <ol>
        {events.map((event) => (
          <li key={`${event.stream}${event.seq}`}>
            <Link
              href={hrefOf(event.id)}
              className="debug-event"
              aria-current={event.id === selected}
              data-failed={event.isError}
            >
              <time className="mono faint" dateTime={event.at}>
                {clock(event.atMs)}
              </time>
              <KindMark kind={event.kind} />
              <span className="untrusted line soft">{safeLine(event.agentId, LINE_LIMIT)}</span>
              <span className="untrusted line">{event.summary}</span>
            </Link>
          </li>
        ))}
      </ol>
    </section>
  );
}

function useEventHref(): (id: string) => string {
  const { pathname, search } = useLocation();
  return (id) => hrefWith(pathname, search, { event: id, span: null });
}

function goesOn(trace: Trace | undefined): boolean {
  if (trace === undefined || trace.truncated) return false;
  const newest = trace.events.at(-1)?.event_time;
  return newest !== undefined && Date.now() - Date.parse(newest) < FRESH_MS;
}
