import "./index.css";
import { useQuery } from "@tanstack/react-query";
import { type KeyboardEvent, useMemo, useState } from "react";
import { Empty, ErrorNotice, Loading } from "../../components/Notice/index.tsx";
import { PageFrame } from "../../components/PageFrame/index.tsx";
import { ResultChart } from "../../components/ResultChart/index.tsx";
import { ResultTable } from "../../components/ResultTable/index.tsx";
import { changeUrl, useUrlState } from "../../hooks/useUrlState.ts";
import { countText, durationText } from "../../model/amounts.ts";
import { csvOf } from "../../model/result_text.ts";
import { chartOf } from "../../model/series.ts";
import { SQL_EXAMPLES } from "../../model/sql_examples.ts";
import { queryKey, type SqlResult, traceApi } from "../../services/trace_api.ts";

const MAX_ROWS = 5_000;
const FIRST = SQL_EXAMPLES[0]?.query ?? "";

/** A box for queries that only read, and what they answer. */
export default function SqlPage() {
  const asked = useUrlState().get("q");
  return (
    <PageFrame title="SQL">
      <div className="sql-page">
        <QueryBox key={asked} asked={asked} />
        {asked ? (
          <Result query={asked} />
        ) : (
          <Empty title="Ask history anything">
            Reading only: the tables are described in docs/reference/sql.md.
          </Empty>
        )}
      </div>
    </PageFrame>
  );
}

/** The box keeps what is typed; the address gets it when it is run. */
function QueryBox({ asked }: { readonly asked: string }) {
  const [text, setText] = useState(asked || FIRST);
  const run = (query: string) => {
    if (query.trim() !== "") changeUrl({ q: query.trim() }, "push");
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      run(text);
    }
  };
  const example = SQL_EXAMPLES.find(({ query }) => query === text)?.title ?? "";
  return (
    <section className="panel sql-box" aria-label="Query">
      <label className="visually-hidden" htmlFor="sql-text">
        Query
      </label>
      <textarea
        id="sql-text"
        className="mono"
        value={text}
        rows={Math.min(Math.max(text.split("\n").length + 1, 5), 16)}
        spellCheck={false}
        autoCapitalize="off"
        autoComplete="off"
        onChange={(event) => setText(event.target.value)}
        onKeyDown={onKeyDown}
      />
      <div className="sql-bar">
        <button type="button" className="sql-run" onClick={() => run(text)}>
          Run <kbd>Ctrl ⏎</kbd>
        </button>
        <label className="sql-examples">
          <span className="visually-hidden">Examples</span>
          <select
            value={example}
            onChange={(event) => {
              const chosen = SQL_EXAMPLES.find(({ title }) => title === event.target.value);
              if (!chosen) return;
              setText(chosen.query);
              run(chosen.query);
            }}
          >
            <option value="">Examples</option>
            {SQL_EXAMPLES.map(({ title }) => (
              <option key={title} value={title}>
                {title}
              </option>
            ))}
          </select>
        </label>
      </div>
    </section>
  );
}

function Result({ query }: { readonly query: string }) {
  const asked = useQuery({
    queryKey: queryKey("sql", query),
    queryFn: ({ signal }) => traceApi.sql(query, MAX_ROWS, signal),
    retry: false,
    staleTime: Number.POSITIVE_INFINITY,
  });
  return (
    <section className="panel sql-result" aria-label="Result" aria-busy={asked.isFetching}>
      {asked.isFetching ? (
        <Loading what="the answer" />
      ) : asked.isError ? (
        <ErrorNotice error={asked.error} retry={() => void asked.refetch()} />
      ) : asked.data ? (
        <Answer result={asked.data} again={() => void asked.refetch()} />
      ) : null}
    </section>
  );
}

function Answer({ result, again }: { readonly result: SqlResult; readonly again: () => void }) {
  const chart = useMemo(() => chartOf(result), [result]);
  const count = result.rows.length;
  return (
    <>
      <div className="sql-bar" role="status">
        <span>
          {result.truncated ? "The first " : ""}
          <strong>{countText(count)}</strong> {count === 1 ? "row" : "rows"} in{" "}
          {durationText(result.elapsed_ms)}
        </span>
        <span className="sql-actions">
          <button type="button" className="quiet" onClick={again}>
            Ask again
          </button>
          <CopyCsv result={result} />
        </span>
      </div>
      {chart ? <ResultChart chart={chart} /> : null}
      {count === 0 ? <Empty title="No rows" /> : <ResultTable result={result} />}
    </>
  );
}

function CopyCsv({ result }: { readonly result: SqlResult }) {
  const [said, setSaid] = useState("Copy as CSV");
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(csvOf(result));
      setSaid("Copied");
    } catch {
      setSaid("The browser does not allow copying");
    }
  };
  return (
    <button type="button" className="quiet" onClick={() => void copy()}>
      {said}
    </button>
  );
}
