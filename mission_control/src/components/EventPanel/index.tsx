import "./index.css";
import { useQuery } from "@tanstack/react-query";
import { type KeyboardEvent, type ReactNode, useEffect, useRef } from "react";
import { wholeViewOfRow } from "../../model/event_view.ts";
import { diffHref } from "../../model/node_text.ts";
import { formatMoment } from "../../model/replay_moment.ts";
import { safeLine, safeText } from "../../model/safe_text.ts";
import { Link } from "../../router.tsx";
import { ApiError } from "../../services/api_client.ts";
import { type EventDetail, type EventLink, queryKey, traceApi } from "../../services/trace_api.ts";
import type { SwarmEventView } from "../../types/swarm_event.ts";
import { CloseButton } from "../CloseButton/index.tsx";
import { EventFields } from "../EventFields/index.tsx";
import { KindMark } from "../KindMark/index.tsx";
import { ErrorNotice, Loading } from "../Notice/index.tsx";
import { RoleMark } from "../RoleMark/index.tsx";

interface EventPanelProps {
  /** Id of the event. */
  readonly id: string;
  /** What the stream has told of it, while history is asked. */
  readonly live: SwarmEventView | undefined;
  /** Address that opens another event here. */
  readonly hrefOf: (id: string) => string;
  readonly onClose: () => void;
}

const LINE_LIMIT = 120;
/** History is a moment behind the stream: an event that it does not know yet is asked for again. */
const INGEST_MS = 1_500;
const ASK_AGAIN_MS = 1_500;
const ASKED_TIMES = 6;

/** Everything that is known of one event. */
export function EventPanel({ id, live, hrefOf, onClose }: EventPanelProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  const asked = useQuery({
    queryKey: queryKey("event", id),
    queryFn: async ({ signal }) => {
      await untilIngested(live);
      return traceApi.event(id, signal);
    },
    staleTime: 60_000,
    retry: (count, error) => count < ASKED_TIMES && mayBecomeKnown(error),
    retryDelay: ASK_AGAIN_MS,
  });
  const event = asked.data ? wholeViewOfRow(asked.data) : live;
  // biome-ignore lint/correctness/useExhaustiveDependencies: each event that is opened gets the focus
  useEffect(() => heading.current?.focus({ preventScroll: true }), [id]);
  const onKeyDown = (key: KeyboardEvent) => {
    if (key.key === "Escape") onClose();
  };
  return (
    <aside className="event-panel" aria-label="Event" onKeyDown={onKeyDown}>
      <header className="event-panel-head">
        <h2 ref={heading} tabIndex={-1}>
          {event ? <KindMark kind={event.kind} /> : "Event"}
        </h2>
        <CloseButton label="Close event" onClose={onClose} />
      </header>
      <div className="event-panel-body">
        {event ? <EventBody event={event} /> : null}
        {asked.data ? <Links detail={asked.data} hrefOf={hrefOf} /> : null}
        {event ? <Identity event={event} detail={asked.data} /> : null}
        {!event && asked.isPending ? <Loading what="the event" /> : null}
        {!asked.data && asked.isError ? (
          <ErrorNotice error={asked.error} retry={() => void asked.refetch()} />
        ) : null}
      </div>
    </aside>
  );
}

/** An event that happened just now is given the time that it takes to become history. */
async function untilIngested(live: SwarmEventView | undefined): Promise<void> {
  const left = live ? live.atMs + INGEST_MS - Date.now() : 0;
  if (left > 0 && left <= INGEST_MS) await new Promise((resolve) => setTimeout(resolve, left));
}

function mayBecomeKnown(error: unknown): boolean {
  return !(error instanceof ApiError) || error.status === 404 || error.status === 0;
}

function EventBody({ event }: { readonly event: SwarmEventView }) {
  return (
    <>
      <p className="event-who">
        <RoleMark role={event.role} />
        <strong className="untrusted">{safeLine(event.agentId, LINE_LIMIT) || "–"}</strong>
        <time className="mono faint" dateTime={event.at}>
          {event.at.replace("T", " ")}
        </time>
      </p>
      {event.isError ? <p className="event-failed">This tells of a failure.</p> : null}
      <EventFields event={event} />
      <nav className="event-actions" aria-label="From this event">
        {event.traceId ? (
          <Link className="button" href={`/debug/${event.traceId}?event=${event.id}`}>
            Trace
          </Link>
        ) : null}
        {diffHref(event) ? (
          <Link className="button" href={diffHref(event)}>
            Diff
          </Link>
        ) : null}
        {event.runId ? (
          <Link className="button" href={`/runs/${encodeURIComponent(event.runId)}`}>
            Run
          </Link>
        ) : null}
        {event.runId ? (
          <Link
            className="button"
            href={`/?run=${encodeURIComponent(event.runId)}&at=${formatMoment(event)}&event=${event.id}`}
          >
            This moment
          </Link>
        ) : null}
      </nav>
      {event.kind === "state_change" ? (
        <Fact name="Restore what it led to">
          <code>swarm restore --at {event.id} --to DIR</code>
        </Fact>
      ) : null}
    </>
  );
}

function Links({
  detail,
  hrefOf,
}: {
  readonly detail: EventDetail;
  readonly hrefOf: (id: string) => string;
}) {
  return (
    <>
      <LinkList title="Led to by" links={detail.causes} hrefOf={hrefOf} />
      <LinkList title="Led to" links={detail.effects} hrefOf={hrefOf} />
    </>
  );
}

interface LinkListProps {
  readonly title: string;
  readonly links: readonly EventLink[];
  readonly hrefOf: (id: string) => string;
}

function LinkList({ title, links, hrefOf }: LinkListProps) {
  if (links.length === 0) return null;
  return (
    <section className="event-links">
      <h3>{title}</h3>
      <ul>
        {links.map((link) => (
          <li key={`${link.stream}-${link.stream_seq}`}>
            <Link href={hrefOf(link.event_id)}>
              <KindMark kind={link.kind} />
              <span className="untrusted line">{safeLine(link.summary, LINE_LIMIT)}</span>
            </Link>
          </li>
        ))}
      </ul>
    </section>
  );
}

interface IdentityProps {
  readonly event: SwarmEventView;
  readonly detail: EventDetail | undefined;
}

/** Where the event stands, and what proves it. */
function Identity({ event, detail }: IdentityProps) {
  const redacted = Object.entries(event.redactions);
  return (
    <details className="event-identity">
      <summary>Where it stands</summary>
      <Fact name="Event">{event.id}</Fact>
      <Fact name="Place">
        {event.stream} #{event.seq}
      </Fact>
      <Fact name="Subject">{safeText(event.subject)}</Fact>
      <Fact name="Run">{safeText(event.runId) || "–"}</Fact>
      <Fact name="Workspace">{safeText(event.workspaceId) || "–"}</Fact>
      <Fact name="Trace">{safeText(event.traceId) || "–"}</Fact>
      <Fact name="Span">{safeText(event.spanId) || "–"}</Fact>
      <Fact name="Emitter">
        {safeText(event.emitterId) || "–"} #{event.emitterSeq}
      </Fact>
      {Object.entries(event.attributes).map(([name, value]) => (
        <Fact key={name} name={safeLine(name, LINE_LIMIT)}>
          {safeLine(value, LINE_LIMIT)}
        </Fact>
      ))}
      {redacted.map(([secret, count]) => (
        <Fact key={secret} name="Taken out">
          {count} × {safeLine(secret, LINE_LIMIT)}
        </Fact>
      ))}
      {detail ? <Fact name="Authenticated">{detail.is_authenticated ? "yes" : "no"}</Fact> : null}
      {detail?.ledger ? <Fact name="Ledger">{detail.ledger.head}</Fact> : null}
    </details>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div className="event-fact">
      <span className="faint">{name}</span>
      <span className="mono untrusted">{children}</span>
    </div>
  );
}
