import "./index.css";
import { CATEGORY, CATEGORY_NAMES } from "../../model/event_category.ts";
import { svgShape } from "../../model/graph_shapes.ts";

const LABELS = {
  decision: "decision",
  change: "change",
  signal: "signal",
  tool: "tool",
  model: "model",
  work: "task, run",
  other: "other",
} as const;

/** What the shapes and colours of the graph mean. */
export function GraphLegend() {
  return (
    <ul className="graph-legend" aria-label="What the shapes mean">
      {CATEGORY_NAMES.map((name) => (
        <li key={name} data-category={name}>
          <svg viewBox="0 0 16 16" width="12" height="12" aria-hidden="true">
            <path d={svgShape(CATEGORY[name])} fill="currentColor" />
          </svg>
          <span>{LABELS[name]}</span>
        </li>
      ))}
      <li data-category="error">
        <svg viewBox="0 0 16 16" width="12" height="12" aria-hidden="true">
          <path d="M3 3l10 10M13 3L3 13" stroke="currentColor" strokeWidth="2.5" fill="none" />
        </svg>
        <span>error</span>
      </li>
    </ul>
  );
}
