import "./index.css";
import { useQuery } from "@tanstack/react-query";
import { wholeViewOfRow } from "../../model/event_view.ts";
import { safeLine } from "../../model/safe_text.ts";
import { clock } from "../../model/time_text.ts";
import { Link } from "../../router.tsx";
import { type EventRow, queryKey, traceApi, type Why } from "../../services/trace_api.ts";
import { KindMark } from "../KindMark/index.tsx";
import { LongText } from "../LongText/index.tsx";
import { ErrorNotice, Loading } from "../Notice/index.tsx";
import { RoleMark } from "../RoleMark/index.tsx";

export interface WhyPanelProps {
  readonly resource: string;
  /** From 1; null: the whole resource. */
  readonly line: number | null;
  readonly workspaceId: string;
  /** The moment asked about, as the address writes it; empty: now. */
  readonly at: string;
  /** Address that opens an event. */
  readonly hrefOf: (id: string) => string;
}

const LINE_LIMIT = 160;

/** Why a line is as it is: the change, the decision behind it, what was refused, what led there. */
export function WhyPanel({ resource, line, workspaceId, at, hrefOf }: WhyPanelProps) {
  const asked = useQuery({
    queryKey: queryKey("why", resource, line, workspaceId, at),
    queryFn: ({ signal }) =>
      traceApi.why({ resource, line, workspace_id: workspaceId, at }, signal),
  });
  const title = line === null ? "Why is it as it is?" : `Why line ${line}?`;
  return (
    <section className="why-panel" aria-label={title} aria-live="polite">
      <h2>{title}</h2>
      {asked.isPending ? <Loading what="the reason" /> : null}
      {asked.isError ? (
        <ErrorNotice error={asked.error} retry={() => void asked.refetch()} />
      ) : null}
      {asked.data ? <Answer why={asked.data} hrefOf={hrefOf} /> : null}
    </section>
  );
}

type Hrefs = Pick<WhyPanelProps, "hrefOf">;

function Answer({ why, hrefOf }: { readonly why: Why } & Hrefs) {
  return (
    <>
      {why.text === null ? null : (
        <code className="why-text untrusted">{safeLine(why.text, LINE_LIMIT) || "(empty)"}</code>
      )}
      <Origin why={why} />
      {why.change ? <EventLine name="Changed by" row={why.change} hrefOf={hrefOf} /> : null}
      {why.decision ? (
        <>
          <EventLine
            name={
              why.is_decision_recorded ? "Decided by" : "Decided before, not named as its cause"
            }
            row={why.decision}
            hrefOf={hrefOf}
          />
          <LongText text={String(why.decision["rationale"] ?? "")} />
        </>
      ) : null}
      <Texts name="Refused instead" texts={why.rejected_alternatives} />
      <Texts name="Remembered" texts={why.memory_ids} />
      {why.causes.length > 0 ? (
        <section>
          <h3>What led there</h3>
          <ol className="why-causes">
            {why.causes.map((cause) => (
              <li key={cause.event_id} style={{ paddingLeft: Math.min(cause.depth, 8) * 12 }}>
                <EventLink row={cause} hrefOf={hrefOf} />
              </li>
            ))}
          </ol>
        </section>
      ) : null}
    </>
  );
}

function Origin({ why }: { readonly why: Why }) {
  if (why.written_by === "start") {
    const commit = why.start?.base_commit ?? "";
    return (
      <p>
        It was there when the workspace began
        {commit ? (
          <>
            , at commit <code>{commit.slice(0, 12)}</code>
          </>
        ) : null}
        .
      </p>
    );
  }
  if (why.written_by === "outside") {
    return <p>Something outside the swarm wrote it: the recorded changes do not lead to it.</p>;
  }
  return why.is_certain ? null : <p>Likely, not proven: a content on the way is not recorded.</p>;
}

interface EventLineProps extends Hrefs {
  readonly name: string;
  readonly row: EventRow;
}

function EventLine({ name, row, hrefOf }: EventLineProps) {
  return (
    <div className="why-event">
      <h3>{name}</h3>
      <p className="why-who">
        <RoleMark role={row.agent_role} />
        <strong className="untrusted">{safeLine(row.agent_id, LINE_LIMIT)}</strong>
        <time className="mono faint" dateTime={row.event_time}>
          {clock(wholeViewOfRow(row).atMs)}
        </time>
      </p>
      <EventLink row={row} hrefOf={hrefOf} />
    </div>
  );
}

function EventLink({ row, hrefOf }: { readonly row: EventRow } & Hrefs) {
  const view = wholeViewOfRow(row);
  return (
    <Link className="why-link" href={hrefOf(row.event_id)}>
      <KindMark kind={row.kind} />
      <span className="untrusted line">{safeLine(view.summary, LINE_LIMIT)}</span>
    </Link>
  );
}

function Texts({ name, texts }: { readonly name: string; readonly texts: readonly string[] }) {
  if (texts.length === 0) return null;
  return (
    <section>
      <h3>{name}</h3>
      <ul className="why-texts">
        {texts.map((text, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the list never changes, and may repeat
          <li key={index}>
            <LongText text={text} />
          </li>
        ))}
      </ul>
    </section>
  );
}
