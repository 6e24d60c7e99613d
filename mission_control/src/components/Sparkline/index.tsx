import "./index.css";

interface SparklineProps {
  /** Oldest first. */
  readonly values: readonly number[];
  /** What the line shows, for those who do not see it. */
  readonly label: string;
  readonly width?: number;
  readonly height?: number;
  /** Value at the upper edge; the highest value where it is higher or not given. */
  readonly top?: number;
}

/** A small line of recent values; the newest is at the right. */
export function Sparkline({ values, label, width = 64, height = 18, top = 0 }: SparklineProps) {
  return (
    <svg
      className="sparkline"
      viewBox={`0 0 ${width} ${height}`}
      width={width}
      height={height}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      {values.length > 1 ? (
        <Shape points={pointsOf(values, width, height, top)} end={height} />
      ) : null}
    </svg>
  );
}

function Shape({
  points,
  end,
}: {
  readonly points: readonly (readonly [number, number])[];
  readonly end: number;
}) {
  const line = points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ");
  const first = points[0]?.[0] ?? 0;
  const last = points.at(-1)?.[0] ?? 0;
  return (
    <>
      <polygon points={`${first},${end} ${line} ${last},${end}`} />
      <polyline points={line} />
    </>
  );
}

function pointsOf(values: readonly number[], width: number, height: number, top: number) {
  const highest = Math.max(top, ...values) || 1;
  const step = width / (values.length - 1);
  const inner = height - 3;
  return values.map(
    (value, index) => [index * step, 1.5 + inner * (1 - Math.max(0, value) / highest)] as const,
  );
}
