import "./index.css";
import { durationText } from "../../model/amounts.ts";
import { safeLine } from "../../model/safe_text.ts";
import type { Span } from "../../services/trace_api.ts";
import { CloseButton } from "../CloseButton/index.tsx";
import { Facts } from "../Facts/index.tsx";
import { LongText } from "../LongText/index.tsx";
import { StatusPill } from "../StatusPill/index.tsx";

interface SpanPanelProps {
  readonly span: Span;
  readonly onClose: () => void;
}

const LINE_LIMIT = 200;
const NS_PER_MS = 1e6;

/** Everything that is known of one span. */
export function SpanPanel({ span, onClose }: SpanPanelProps) {
  const attributes = Object.entries(span.attributes).sort(([a], [b]) => (a < b ? -1 : 1));
  return (
    <aside className="span-panel" aria-label="Span">
      <header className="span-panel-head">
        <h2 className="untrusted">{safeLine(span.name, LINE_LIMIT) || "(no name)"}</h2>
        <CloseButton label="Close span" onClose={onClose} />
      </header>
      {span.status === "Error" ? <StatusPill status="FAILED" /> : null}
      {span.status_message ? <LongText text={span.status_message} /> : null}
      <Facts
        form="list"
        facts={[
          ["Took", durationText(span.duration_ns / NS_PER_MS)],
          ["Service", safeLine(span.service, LINE_LIMIT)],
          ["Kind", span.kind],
          ["Span", <code key="id">{span.span_id}</code>],
          ["Parent", span.parent_span_id ? <code key="id">{span.parent_span_id}</code> : null],
        ]}
      />
      {attributes.length > 0 ? (
        <section>
          <h3>Attributes</h3>
          <Facts
            form="list"
            facts={attributes.map(([name, value]) => [
              safeLine(name, LINE_LIMIT),
              <LongText key={name} text={value} form={isLong(value) ? "code" : "prose"} />,
            ])}
          />
        </section>
      ) : null}
      {span.events.length > 0 ? (
        <section>
          <h3>Points in time</h3>
          <Facts
            form="list"
            facts={span.events.map((event, index) => [
              `${index + 1}. ${safeLine(event.name, LINE_LIMIT)}`,
              <LongText
                key={event.at_ns}
                text={Object.entries(event.attributes)
                  .map(([name, value]) => `${name}: ${value}`)
                  .join("\n")}
              />,
            ])}
          />
        </section>
      ) : null}
    </aside>
  );
}

function isLong(value: string): boolean {
  return value.includes("\n") || value.length > LINE_LIMIT;
}
