import "./index.css";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useMemo } from "react";
import { changeUrl } from "../../hooks/useUrlState.ts";
import { modeText, sizeText } from "../../model/amounts.ts";
import { parseMoment } from "../../model/replay_moment.ts";
import { indexOfMoment, momentsOf, type ResourceMoment } from "../../model/resource_moments.ts";
import { safeLine } from "../../model/safe_text.ts";
import { Link } from "../../router.tsx";
import { ApiError } from "../../services/api_client.ts";
import { queryKey, traceApi } from "../../services/trace_api.ts";
import { LongText } from "../LongText/index.tsx";
import { Empty, ErrorNotice, Loading } from "../Notice/index.tsx";
import { RoleMark } from "../RoleMark/index.tsx";
import { StateDiffView } from "../StateDiffView/index.tsx";

interface ResourceViewProps {
  readonly name: string;
  readonly workspaceId: string;
  /** Event ids of the two moments compared, or `start`; empty: the newest change. */
  readonly from: string;
  readonly to: string;
  /** A place, as the address writes moments: stands for the newest change up to it. */
  readonly at: string;
  readonly line: number | null;
  readonly hrefOf: (eventId: string) => string;
  /** What stands below who, when and why, such as the answer about a line. */
  readonly children?: ReactNode;
}

const LINE_LIMIT = 200;
const MAX_BYTES = 4 << 20;

/** A resource through time: any two of its moments compared, with who, when and why beside. */
export function ResourceView(props: ResourceViewProps) {
  const { name, workspaceId } = props;
  const asked = useQuery({
    queryKey: queryKey("resourceHistory", workspaceId, name),
    queryFn: ({ signal }) => traceApi.resourceHistory({ workspace_id: workspaceId, name }, signal),
  });
  const moments = useMemo(() => momentsOf(asked.data?.items ?? []), [asked.data]);
  if (asked.isPending) return <Loading what="its history" />;
  if (asked.isError) {
    return <ErrorNotice error={asked.error} retry={() => void asked.refetch()} />;
  }
  const last = moments.length - 1;
  if (last < 1) {
    return <Empty title="It was never changed here">It is as the workspace started.</Empty>;
  }
  const wantedTo = indexOfMoment(moments, props.to, parseMoment(props.at));
  const to = wantedTo < 0 ? last : Math.max(wantedTo, 1);
  const wantedFrom = indexOfMoment(moments, props.from, null);
  const from = wantedFrom < 0 ? to - 1 : wantedFrom;
  return <Compared {...props} moments={moments} pair={[from, to]} />;
}

interface ComparedProps extends ResourceViewProps {
  readonly moments: readonly ResourceMoment[];
  readonly pair: readonly [number, number];
}

function Compared(props: ComparedProps) {
  const { moments, pair, name, line, children } = props;
  const [before, after] = [moments[pair[0]], moments[pair[1]]];
  if (before === undefined || after === undefined) return null;
  return (
    <div className="resource-view">
      <header className="resource-view-head">
        <h2 className="untrusted">{safeLine(name, LINE_LIMIT)}</h2>
        <MomentChoice label="From" parameter="from" moments={moments} at={pair[0]} />
        <MomentChoice label="to" parameter="to" moments={moments} at={pair[1]} />
      </header>
      <div className="resource-view-body">
        <Contents
          name={name}
          before={before.digest}
          after={after.digest}
          line={line}
          onLine={(number) => changeUrl({ line: String(number) })}
        />
        <aside className="resource-view-side" aria-label="Who, when and why">
          <Reasons {...props} />
          {children}
        </aside>
      </div>
    </div>
  );
}

interface MomentChoiceProps {
  readonly label: string;
  readonly parameter: "from" | "to";
  readonly moments: readonly ResourceMoment[];
  readonly at: number;
}

function MomentChoice({ label, parameter, moments, at }: MomentChoiceProps) {
  return (
    <label className="resource-view-choice">
      <span className="soft">{label}</span>
      <select
        value={moments[at]?.id ?? ""}
        onChange={(event) => changeUrl({ [parameter]: event.target.value, line: null })}
      >
        {moments.map((moment) => (
          <option key={moment.id} value={moment.id}>
            {moment.label}
          </option>
        ))}
      </select>
    </label>
  );
}

interface ContentsProps {
  readonly name: string;
  readonly before: string;
  readonly after: string;
  readonly line: number | null;
  readonly onLine: (line: number) => void;
}

function Contents({ name, before, after, line, onLine }: ContentsProps) {
  const old = useContent(before);
  const young = useContent(after);
  const failed = [old, young].find((one) => one.isError);
  if (failed) {
    const isMissing = failed.error instanceof ApiError && failed.error.status === 404;
    return isMissing ? (
      <Empty title="This content is not recorded">
        Only its digest is: an agent said that it changed, and did not hand over what it became.
      </Empty>
    ) : (
      <ErrorNotice error={failed.error} retry={() => void failed.refetch()} />
    );
  }
  if (old.data === undefined || young.data === undefined) return <Loading what="the contents" />;
  if (old.data.includes("\0") || young.data.includes("\0")) {
    return (
      <Empty title="Binary content">
        <code>{before.slice(0, 12) || "nothing"}</code> became{" "}
        <code>{after.slice(0, 12) || "nothing"}</code>.
      </Empty>
    );
  }
  return (
    <StateDiffView name={name} before={old.data} after={young.data} line={line} onLine={onLine} />
  );
}

/** A content never changes: what was fetched once is good for ever. */
function useContent(digest: string) {
  return useQuery({
    queryKey: queryKey("content", digest),
    queryFn: ({ signal }) =>
      digest === "" ? "" : traceApi.content(digest, { max_bytes: MAX_BYTES }, signal),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
  });
}

/** The changes between the two moments, newest first. */
function Reasons({ moments, pair, hrefOf }: ComparedProps) {
  const [from, to] = [Math.min(...pair), Math.max(...pair)];
  const changes = moments.slice(from + 1, to + 1).flatMap((moment) => moment.change ?? []);
  return (
    <section className="resource-view-reasons">
      <h3>{changes.length === 1 ? "One change" : `${changes.length} changes`} between them</h3>
      <ol>
        {changes.toReversed().map((change) => (
          <li key={change.event_id}>
            <Link href={hrefOf(change.event_id)} className="resource-view-change">
              <RoleMark role={change.role} />
              <strong className="untrusted">{safeLine(change.agent_id, LINE_LIMIT)}</strong>
              <time className="mono faint" dateTime={change.at}>
                {change.at.slice(0, 19).replace("T", " ")}
              </time>
            </Link>
            {change.rationale ? (
              <LongText text={change.rationale} />
            ) : (
              <p className="faint">names no decision</p>
            )}
            <p className="faint mono">
              {sizeText(change.size_bytes)} · {modeText(change.mode)}
              {change.renamed_from ? ` · was ${safeLine(change.renamed_from, LINE_LIMIT)}` : ""}
            </p>
            {change.is_break ? (
              <p className="resource-view-break">
                It does not start from what was recorded before: something outside the swarm had
                changed it.
              </p>
            ) : null}
          </li>
        ))}
      </ol>
    </section>
  );
}
