import "./index.css";
import { countText } from "../../model/amounts.ts";
import { safeLine } from "../../model/safe_text.ts";
import { axisOf, type Chart, highestOf, type Series } from "../../model/series.ts";

const WIDTH = 800;
const HEIGHT = 200;
const LABEL_LENGTH = 40;
const SHORT_LABEL = 16;

/** A result as a picture; the table below it says the same in numbers. */
export function ResultChart({ chart }: { readonly chart: Chart }) {
  const ticks = axisOf(highestOf(chart.series));
  const top = ticks.at(-1) ?? 1;
  const names = chart.series.map((one) => safeLine(one.name, LABEL_LENGTH)).join(", ");
  return (
    <figure className="result-chart" aria-label={`${names}: ${chart.labels.length} points`}>
      <figcaption className="result-chart-legend">
        {chart.series.map((one, index) => (
          <span key={one.name} data-series={index}>
            <i aria-hidden="true" />
            {safeLine(one.name, LABEL_LENGTH)}
          </span>
        ))}
      </figcaption>
      <div className="result-chart-body">
        <ol className="result-chart-axis" aria-hidden="true">
          {ticks.toReversed().map((tick) => (
            <li key={tick}>{countText(tick)}</li>
          ))}
        </ol>
        <svg
          viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
          preserveAspectRatio="none"
          role="img"
          aria-label={`Chart of ${names}`}
        >
          {ticks.map((tick) => (
            <line
              key={tick}
              className="result-chart-grid"
              x1={0}
              x2={WIDTH}
              y1={heightOf(tick, top)}
              y2={heightOf(tick, top)}
            />
          ))}
          {chart.series.map((one, index) =>
            chart.form === "line" ? (
              <polyline key={one.name} data-series={index} points={pointsOf(chart, one, top)} />
            ) : (
              <Bars key={one.name} chart={chart} one={one} index={index} top={top} />
            ),
          )}
        </svg>
        <Labels chart={chart} />
      </div>
    </figure>
  );
}

interface BarsProps {
  readonly chart: Chart;
  readonly one: Series;
  readonly index: number;
  readonly top: number;
}

function Bars({ chart, one, index, top }: BarsProps) {
  const room = (WIDTH / chart.labels.length) * 0.7;
  const width = room / chart.series.length;
  return chart.places.map((place, at) => {
    const y = heightOf(one.values[at] ?? 0, top);
    return (
      <rect
        key={place}
        data-series={index}
        x={place * WIDTH - room / 2 + index * width}
        y={y}
        width={Math.max(width - 1, 1)}
        height={HEIGHT - y}
      >
        <title>
          {`${safeLine(chart.labels[at] ?? "", LABEL_LENGTH)}: ${one.values[at] ?? "no value"}`}
        </title>
      </rect>
    );
  });
}

function Labels({ chart }: { readonly chart: Chart }) {
  const { form, labels } = chart;
  const shown = form === "line" ? [labels[0] ?? "", labels.at(-1) ?? ""] : labels;
  return (
    <div className="result-chart-labels" data-form={form} aria-hidden="true">
      {shown.map((label, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the labels never change, and may repeat
        <span key={index} className="line untrusted" title={safeLine(label, LABEL_LENGTH)}>
          {safeLine(label, form === "line" ? LABEL_LENGTH : SHORT_LABEL)}
        </span>
      ))}
    </div>
  );
}

function pointsOf(chart: Chart, one: Series, top: number): string {
  return chart.places
    .flatMap((place, index) => {
      const value = one.values[index];
      return value === null || value === undefined
        ? []
        : [`${(place * WIDTH).toFixed(1)},${heightOf(value, top).toFixed(1)}`];
    })
    .join(" ");
}

function heightOf(value: number, top: number): number {
  return HEIGHT - (Math.max(value, 0) / top) * HEIGHT;
}
