import "./index.css";
import { useQuery } from "@tanstack/react-query";
import { Facts } from "../../components/Facts/index.tsx";
import { Empty, ErrorNotice, Loading } from "../../components/Notice/index.tsx";
import { PageFrame } from "../../components/PageFrame/index.tsx";
import { StatusPill } from "../../components/StatusPill/index.tsx";
import { countText, durationText, sizeText } from "../../model/amounts.ts";
import { type Health, type Ledger, queryKey, traceApi } from "../../services/trace_api.ts";

const ASK_AGAIN_MS = 2_000;
const LEDGER_AGAIN_MS = 10_000;
const SECOND_MS = 1_000;
const HEAD_DIGITS = 16;

/** How the recorder itself is doing: is it behind, what runs, does the ledger hold together. */
export default function HealthPage() {
  const health = useQuery({
    queryKey: queryKey("health"),
    queryFn: ({ signal }) => traceApi.health(signal),
    refetchInterval: ASK_AGAIN_MS,
  });
  const ledger = useQuery({
    queryKey: queryKey("ledger"),
    queryFn: ({ signal }) => traceApi.ledger(signal),
    refetchInterval: LEDGER_AGAIN_MS,
  });
  return (
    <PageFrame title="Health">
      {health.isPending ? <Loading what="the health of the recorder" /> : null}
      {health.isError ? (
        <ErrorNotice error={health.error} retry={() => void health.refetch()} />
      ) : null}
      {health.data ? <HealthView health={health.data} /> : null}
      {ledger.isError ? (
        <ErrorNotice error={ledger.error} retry={() => void ledger.refetch()} />
      ) : null}
      {ledger.data ? <LedgerView ledger={ledger.data} /> : null}
    </PageFrame>
  );
}

function HealthView({ health }: { readonly health: Health }) {
  return (
    <>
      <section className="panel health-part" aria-label="Overview">
        <Facts
          facts={[
            [
              "State",
              <StatusPill
                key="s"
                status={health.ready ? "READY" : "NOT_READY"}
                tone={health.ready ? "good" : "bad"}
              />,
            ],
            ["History is behind by", behindText(health)],
            [
              "Messages that are no events",
              health.undecodable === 0 ? (
                "0"
              ) : (
                <span key="u" className="health-bad">
                  {countText(health.undecodable)}, see <code>swarm quarantine ls</code>
                </span>
              ),
            ],
            [
              "Free on disk",
              health.disk
                ? `${sizeText(health.disk.free_bytes)} of ${sizeText(health.disk.total_bytes)}`
                : null,
            ],
          ]}
        />
      </section>
      <section className="panel health-part" aria-label="Streams">
        <h2>Streams</h2>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard */}
        <div className="health-table" tabIndex={0}>
          <table>
            <thead>
              <tr>
                <th scope="col">Stream</th>
                <th scope="col">Messages</th>
                <th scope="col">Size</th>
                <th scope="col">Newest</th>
                <th scope="col">In history up to</th>
              </tr>
            </thead>
            <tbody>
              {health.streams.map((stream) => (
                <tr key={stream.name}>
                  <th scope="row">
                    <code>{stream.name}</code>
                  </th>
                  <td>{stream.messages === null ? "unknown" : countText(stream.messages)}</td>
                  <td>{stream.bytes === null ? "unknown" : sizeText(stream.bytes)}</td>
                  <td>{stream.last_seq === null ? "unknown" : `#${stream.last_seq}`}</td>
                  <td>#{stream.history_seq}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </section>
      <section className="panel health-part" aria-label="Processes">
        <h2>Processes</h2>
        {health.processes.length === 0 ? (
          <Empty title="They run elsewhere">This server is not part of an embedded stack.</Empty>
        ) : (
          <Facts
            facts={health.processes.map((process) => [
              process.name,
              process.rss_bytes === null ? (
                <span key="gone" className="health-bad">
                  does not run
                </span>
              ) : (
                `${sizeText(process.rss_bytes)} · pid ${process.pid}`
              ),
            ])}
          />
        )}
      </section>
    </>
  );
}

function LedgerView({ ledger }: { readonly ledger: Ledger }) {
  return (
    <section className="panel health-part" aria-label="Ledger">
      <h2>
        Ledger{" "}
        <StatusPill
          status={ledger.is_linked ? "LINKED" : "BROKEN"}
          tone={ledger.is_linked ? "good" : "bad"}
        />
      </h2>
      <p className="soft">
        {countText(ledger.batches)} batches, each starting from the root of the one before.{" "}
        <code>swarm verify</code> proves that history equals the streams.
      </p>
      <Facts
        form="list"
        facts={ledger.heads.map((head) => [
          head.stream,
          <code key={head.stream} title={head.head}>
            #{head.stream_seq}{" "}
            {head.head.slice(head.head.lastIndexOf(":") + 1).slice(0, HEAD_DIGITS)}…
          </code>,
        ])}
      />
      {ledger.broken.length > 0 ? (
        <ul className="health-bad">
          {ledger.broken.map((link) => (
            <li key={`${link.stream}${link.stream_seq}`}>
              {link.stream} #{link.prev_seq + 1} to #{link.stream_seq} does not start from the root
              before
            </li>
          ))}
        </ul>
      ) : null}
    </section>
  );
}

function behindText({ lag_events, lag_seconds }: Health): string {
  if (lag_events === null) return "unknown: the bus cannot be asked";
  if (lag_events === 0) return "nothing";
  const since = lag_seconds ? `, for ${durationText(lag_seconds * SECOND_MS)}` : "";
  return `${countText(lag_events)} events${since}`;
}
